"""The index under way: which batches are new, what is in them, and their rows in landed_batches."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from flywheel_assets.lake.lake import Lake
from flywheel_assets.sources.compression import DamagedError, unwrap
from flywheel_assets.sources.open_file import Content
from flywheel_assets.sources.scan import Scan, scan, scan_feedback
from flywheel_assets.sources.segments import sync
from flywheel_assets.sources.take import Taken
from flywheel_assets.tables.landed_batches import LANDED_BATCHES

_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Found:
    """One batch in a landing file; `fault` says why its bytes cannot be a batch."""

    taken: Taken
    content: Content
    ordinal: int
    offset: int
    length: int
    fault: str | None = None

    @property
    def raw(self) -> memoryview:
        """Its bytes as they are in the (decompressed) file, not copied."""
        return memoryview(self.content.data)[self.offset : self.offset + self.length]


@dataclass(frozen=True, slots=True)
class Looked:
    """A batch's format and what is in it; its own error is in `scan`."""

    found: Found
    format: str
    scan: Scan


@dataclass(frozen=True, slots=True)
class Indexed:
    """A batch with its place in the index: accepted, duplicate or rejected."""

    looked: Looked
    batch_id: str
    status: str
    scan: Scan


class Index:
    """landed_batches as it was when the landing began, and what the landing adds. One landing at a time."""

    def __init__(self, lake: Lake, landing: Path, landed_at: datetime) -> None:
        self._lake = lake
        self._landing = landing
        self._landed_at = landed_at
        self._con = lake.connect([LANDED_BATCHES])
        self._accepted: set[str] = set()

    def left_off(self, files: Sequence[str]) -> dict[str, tuple[int, int]]:
        """For each file that has rows: where its next batch starts (or its end), and that batch's ordinal."""
        rows = self._con.execute(
            f"""
            SELECT file, max("offset" + length), max(ordinal) + 1
            FROM {LANDED_BATCHES.name} WHERE list_contains($files, file) GROUP BY file
            """,
            {"files": list(files)},
        ).fetchall()
        return {file: (position, ordinal) for file, position, ordinal in rows}

    def add(self, found: Sequence[Found]) -> list[Indexed]:
        """Append one row for each batch, in one commit."""
        if not found:
            return []
        parts = [found[start : start + _TOGETHER] for start in range(0, len(found), _TOGETHER)]
        # Hashing lets go of the interpreter's lock, and so runs beside the parsing. That has a thread too: what
        # the main thread frees goes back to the system, and taking it again costs more than the parsing.
        with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1)) as pool:
            looking = pool.submit(lambda: [one for part in parts for one in self._look(part)])
            hashing = [pool.submit(_hash, part) for part in parts]
            batch_ids = [batch_id for part in hashing for batch_id in part.result()]
            looked = looking.result()
        self._accepted |= self._landed_before(batch_ids)
        indexed = [self._place(one, batch_id) for one, batch_id in zip(looked, batch_ids, strict=True)]
        for file in {one.taken.file for one in found if not one.taken.finished}:
            # A door's segment is read while it is written: what the index names must be on disk before it.
            sync(self._landing / file)
        rows = [self._row(one) for one in indexed]
        key = hashlib.sha256("\n".join(f"{row['file']}:{row['ordinal']}" for row in rows).encode()).hexdigest()
        self._lake.append(LANDED_BATCHES, LANDED_BATCHES.rows(rows), key=key)
        return indexed

    def _look(self, part: Sequence[Found]) -> list[Looked]:
        looked: list[Looked] = []
        for one in part:
            if one.fault is not None:
                looked.append(Looked(one, _format(one, one.raw), Scan(error=one.fault)))
                continue
            try:
                payload = unwrap(one.raw)
            except DamagedError as error:
                looked.append(Looked(one, "protobuf", Scan(error=f"{error}; export it again")))
                continue
            format_ = _format(one, payload)
            feedback = one.taken.signal == "feedback"
            scanned = (
                scan_feedback([payload], self._landed_at) if feedback else scan([payload], format_, self._landed_at)
            )
            looked.append(Looked(one, format_, scanned[0]))
        return looked

    def _landed_before(self, batch_ids: Sequence[str]) -> set[str]:
        self._con.register("new_batches", pa.table({"batch_id": pa.array(batch_ids, pa.string())}))
        rows = self._con.execute(
            f"""
            SELECT batch_id FROM {LANDED_BATCHES.name} SEMI JOIN new_batches USING (batch_id)
            WHERE status = 'accepted'
            """
        ).fetchall()
        return {batch_id for (batch_id,) in rows}

    def _place(self, one: Looked, batch_id: str) -> Indexed:
        if one.scan.error is not None:
            return Indexed(one, batch_id, "rejected", one.scan)
        if batch_id in self._accepted:
            return Indexed(one, batch_id, "duplicate", Scan(spans=one.scan.spans))
        self._accepted.add(batch_id)
        return Indexed(one, batch_id, "accepted", one.scan)

    def _row(self, one: Indexed) -> dict[str, object]:
        found = one.looked.found
        return {
            "batch_id": one.batch_id,
            "status": one.status,
            "reason": one.scan.error if one.status == "rejected" else None,
            "signal": found.taken.signal,
            "format": one.looked.format,
            "source": found.taken.source,
            "file": found.taken.file,
            "ordinal": found.ordinal,
            "offset": found.offset,
            "length": found.length,
            "landed_at": self._landed_at,
            "spans": one.scan.spans,
            "spans_set_aside": len(one.scan.set_aside),
            "days": list(one.scan.days),
        }


def _format(found: Found, payload: bytes | memoryview) -> str:
    if found.content.kind in {"lines", "document"} or found.taken.signal == "feedback" or payload[:1] == b"{":
        return "json"
    return "protobuf"


def _hash(part: Sequence[Found]) -> list[str]:
    return [hashlib.sha256(_hashed(one)).hexdigest() for one in part]


def _hashed(one: Found) -> bytes | memoryview:
    if one.fault is None:
        with suppress(DamagedError):
            return unwrap(one.raw)
    return one.raw
