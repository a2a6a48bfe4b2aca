"""Typed identifiers and the digests they are made of."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NewType

RuleId = NewType("RuleId", str)
FindingId = NewType("FindingId", str)
SnapshotId = NewType("SnapshotId", str)
RunId = NewType("RunId", str)


def digest(value: Any) -> str:
    """Return the SHA-256 hex digest of a JSON-like value, independent of the order of keys.

    Decimals, dates and other plain values count as their text.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def finding_id(*, rule_id: str, subject_kind: str, subject_id: str, episode_key: str) -> FindingId:
    """Return the stable id of a finding: the same fact gets the same id on any machine in any run."""
    return FindingId("F" + digest([rule_id, subject_kind, subject_id, episode_key])[:16])


def snapshot_id(*, sequence: int, content: Any) -> SnapshotId:
    """Return s0001-1a2b3c4d: the place in the sequence and the digest of what the snapshot holds."""
    return SnapshotId(f"s{sequence:04d}-{digest(content)[:8]}")


def run_id(*, sequence: int, content: Any) -> RunId:
    """Return r0001-1a2b3c4d: the place in the sequence and the digest of what the run did."""
    return RunId(f"r{sequence:04d}-{digest(content)[:8]}")
