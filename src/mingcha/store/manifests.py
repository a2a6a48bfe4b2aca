"""What a snapshot, run or month of derived tables says of itself: its files, how many rows, which hashes.

A manifest is written once, in the folder whose rename publishes it, and never changed. Readers open
the files it names and nothing else. What is hashed into an id leaves out moments, paths and places.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from mingcha.kernel import errors, ids

FORMAT = 1
FILE = "manifest.json"

Model = TypeVar("Model", bound=pydantic.BaseModel)


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class DataFile(_Part):
    """One Parquet file of a table: rows of one partition, sorted; `path` is relative to the lake."""

    path: str
    partition: str
    rows: int
    bytes: int
    sha256: str
    checksum: str
    """Sum of the hashes of the rows: the same for the same rows in any order and any file division."""
    columns: tuple[str, ...]
    """The contract columns the file holds; the others are null for all its rows."""


class TableEntry(_Part):
    """One delivered table."""

    rows: int
    columns_delivered: tuple[str, ...]
    last_day: date | None
    """The last day its rows reported on, as far as the table tells it."""
    files: tuple[DataFile, ...]

    @property
    def partitions(self) -> dict[str, tuple[int, int]]:
        """Return rows and checksum by partition, in order of the partition."""
        result: dict[str, tuple[int, int]] = {}
        for file in sorted(self.files, key=lambda file: file.partition):
            rows, checksum = result.get(file.partition, (0, 0))
            result[file.partition] = (rows + file.rows, checksum + int(file.checksum))
        return result

    @property
    def digest(self) -> str:
        """Return the digest of the rows and delivered columns, whatever files they are divided into."""
        parts = {label: [rows, str(checksum)] for label, (rows, checksum) in self.partitions.items()}
        return ids.digest({"columns": sorted(self.columns_delivered), "partitions": parts})


class SnapshotManifest(_Part):
    """All a snapshot is made of."""

    format: int
    snapshot_id: str
    parent: str | None
    sequence: int
    as_of: date | None
    data_date: date | None
    made_at: str
    delivery: dict[str, Any]
    tables: dict[str, TableEntry]
    deliveries: dict[str, dict[str, Any]]
    quarantine: dict[str, DataFile]

    @property
    def content_digest(self) -> str:
        """Return the digest of what the snapshot holds: equal for equal rows, columns and dates."""
        return ids.digest(
            {
                "as_of": self.as_of,
                "data_date": self.data_date,
                "tables": {name: entry.digest for name, entry in self.tables.items()},
            }
        )

    @property
    def expected_id(self) -> str:
        """Return the id that belongs to the content; another one means the manifest was altered."""
        quarantine = {name: file.rows for name, file in self.quarantine.items()}
        content = [self.parent, self.content_digest, quarantine]
        return ids.snapshot_id(sequence=self.sequence, content=content)


class RunManifest(_Part):
    """All a run is made of."""

    format: int
    run_id: str
    sequence: int
    snapshot_id: str
    made_at: str
    content: str
    """Digest of what was run; the run id is made of it."""
    record: dict[str, Any]
    tables: dict[str, DataFile]


class DerivedManifest(_Part):
    """All the derived tables of one snapshot and month are made of; a table without rows has no file."""

    format: int
    snapshot_id: str
    period: str
    key: str
    """Digest of all the rows depend on beside the snapshot; its beginning stands in the folder's name."""
    made_at: str
    record: dict[str, Any]
    made: tuple[str, ...]
    """The tables that were written, those without rows too."""
    tables: dict[str, DataFile]


def read(path: Path, *, model: type[Model]) -> Model:
    """Return the manifest in the file; raises SetupError when it is missing, damaged or of another format."""
    try:
        values = json.loads(path.read_bytes())
        if isinstance(values, dict) and values.get("format") != FORMAT:
            raise broken(path, f"its format is {values.get('format')!r}, this version reads {FORMAT}")
        return model.model_validate(values)
    except FileNotFoundError:
        raise broken(path, "the file is missing") from None
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise broken(path, f"{where}: {first['msg']}" if where else first["msg"]) from None
    except ValueError as error:  # not JSON, or not UTF-8
        raise broken(path, str(error)) from None


def text(manifest: pydantic.BaseModel) -> str:
    """Return the manifest as readable JSON."""
    return json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n"


def broken(path: Path, problem: str) -> errors.SetupError:
    """Return the error for a manifest that cannot be trusted."""
    return errors.SetupError(
        f"{path}: the manifest cannot be read: {problem}",
        why="the manifest says which files make up the data; without it they prove nothing",
        mend="restore this folder from a backup, or remove it and ingest or screen again",
    )
