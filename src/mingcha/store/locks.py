"""Locks of the lake: one writer, and folders for work in progress that tell whether their owner lives.

All locks are `flock` locks: the kernel frees them when their process ends, however it ends, so no lock
is ever left behind and no process number has to be trusted to say who is alive.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from pathlib import Path
from types import TracebackType

from mingcha.kernel import errors


class WriterLock:
    """The right to write the lake: held by one process at a time, freed when that process ends."""

    def __init__(self, *, lake: Path) -> None:
        self._path = lake / "lock"
        self._descriptor: int | None = None

    def __enter__(self) -> WriterLock:
        """Take the lock; raises SetupError naming the process that holds it."""
        descriptor = _descriptor(self._path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 100).decode(errors="replace").strip()
            os.close(descriptor)
            raise _held(self._path, holder) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class ShortLock:
    """A lock held for milliseconds, for which one waits: it orders the commits of runs."""

    def __init__(self, *, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> ShortLock:
        """Wait for the lock and take it."""
        self._descriptor = _descriptor(self._path)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Scratch:
    """A folder in `lake/tmp` for work in progress; `sweep` removes it once its owner is gone."""

    def __init__(self, *, lake: Path, purpose: str) -> None:
        tmp = lake / "tmp"
        while True:
            self.path = tmp / f"{purpose}-{os.getpid()}-{secrets.token_hex(4)}"
            descriptor = _claim(self._lock_path)
            if descriptor is not None:
                break
        self._descriptor: int | None = descriptor
        self._owner = os.getpid()
        self.path.mkdir()

    @property
    def _lock_path(self) -> Path:
        return self.path.with_name(self.path.name + ".lock")

    def __enter__(self) -> Scratch:
        """Return itself; the folder exists already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the folder."""
        self.close()

    def close(self) -> None:
        """Remove the folder and all in it; calling it again does nothing."""
        if self._descriptor is None or self._owner != os.getpid():
            return  # a fork must not remove what its parent works on
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock_path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None


def sweep(*, lake: Path) -> int:
    """Remove what is in `lake/tmp` and whose owner is gone; return how many things that were."""
    tmp = lake / "tmp"
    names = {path.name.removesuffix(".lock") for path in tmp.iterdir()} if tmp.is_dir() else set()
    swept = 0
    for leftover in sorted(tmp / name for name in names):
        lock_path = leftover.with_name(leftover.name + ".lock")
        descriptor = _claim(lock_path)
        if descriptor is None:
            continue
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
        lock_path.unlink(missing_ok=True)
        os.close(descriptor)
        swept += 1
    return swept


def _descriptor(path: Path) -> int:
    """Return an open descriptor of the lock file, made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _claim(path: Path) -> int | None:
    """Return a descriptor that locks `path`, or None when another process has it or just removed it."""
    descriptor = _descriptor(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.stat(path).st_ino == os.fstat(descriptor).st_ino:  # noqa: PTH116 - compared with fstat
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _held(path: Path, holder: str) -> errors.SetupError:
    who = f"process {holder}" if holder else "another process"
    return errors.SetupError(
        f"{path}: {who} is writing to this workspace",
        why="two writers at once could each undo what the other adds",
        mend="wait until it has finished, or stop it if it hangs; the lock goes when the process ends",
    )
