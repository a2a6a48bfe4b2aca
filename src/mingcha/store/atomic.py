"""Writing that is either there in full or not there: flush to the disk, then one rename.

A rename inside one file system is atomic; what it names must be on the disk before, and the folder
that holds the new name after it. Everything the lake publishes goes through this module.
"""

from __future__ import annotations

import os
from pathlib import Path


def flush(path: Path) -> None:
    """Force the content of a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a new UTF-8 file and flush it; the caller publishes the folder it lies in."""
    path.write_text(text, encoding="utf-8")
    flush(path)


def make_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, each name flushed to the disk."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        flush(path.parent)


def publish_file(source: Path, target: Path) -> None:
    """Move a finished file to its public name, replacing a file of that name."""
    flush(source)
    make_folder(target.parent)
    os.replace(source, target)  # noqa: PTH105 - the tests of kill -9 count the calls of os
    flush(target.parent)


def publish_folder(source: Path, target: Path) -> None:
    """Move a finished folder to its public name, which must be free; raises OSError when it is not."""
    for folder, _, names in os.walk(source):
        for name in names:
            flush(Path(folder, name))
        flush(Path(folder))
    make_folder(target.parent)
    os.rename(source, target)  # noqa: PTH104 - the tests of kill -9 count the calls of os
    flush(target.parent)
