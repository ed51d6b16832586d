"""The index under way: which batches are new, what is in them, and their rows in landed_batches."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from flywheel_assets.lake.lake import Lake
from flywheel_assets.sources.compression import DamagedError, unwrap
from flywheel_assets.sources.open_file import Content
from flywheel_assets.sources.scan import Scan, scan, scan_feedback
from flywheel_assets.sources.take import Taken
from flywheel_assets.tables.landed_batches import LANDED_BATCHES

_TOGETHER = 64


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
        """Its bytes as they are in the (decompressed) file."""
        return memoryview(self.content.data)[self.offset : self.offset + self.length]

    @property
    def payload(self) -> bytes:
        """The batch itself. Raises DamagedError."""
        return unwrap(bytes(self.raw))


@dataclass(frozen=True, slots=True)
class Named:
    """A batch with its id and format."""

    found: Found
    batch_id: str
    format: str
    fault: str | None


@dataclass(frozen=True, slots=True)
class Indexed:
    """A batch with its place in the index: accepted, duplicate or rejected."""

    named: Named
    status: str
    scan: Scan


class Index:
    """landed_batches as it was when the landing began, and what the landing adds. One landing at a time."""

    def __init__(self, lake: Lake, landing: Path, landed_at: datetime) -> None:
        self._lake = lake
        self._landing = landing
        self._landed_at = landed_at
        self._con = lake.connect([LANDED_BATCHES])
        self._accepted: dict[str, int] = {}

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
        named = _name(found)
        self._accepted |= self._landed_before([one.batch_id for one in named])
        scans = self._scan_new(named)
        indexed = [self._place(one, scans) for one in named]
        for file in {one.taken.file for one in found if not one.taken.finished}:
            _sync(self._landing / file)
        rows = [self._row(one) for one in indexed]
        key = hashlib.sha256("\n".join(f"{row['file']}:{row['ordinal']}" for row in rows).encode()).hexdigest()
        self._lake.append(LANDED_BATCHES, LANDED_BATCHES.rows(rows), key=key)
        return indexed

    def _landed_before(self, batch_ids: Sequence[str]) -> dict[str, int]:
        self._con.register("new_batches", pa.table({"batch_id": pa.array(batch_ids, pa.string())}))
        rows = self._con.execute(
            f"""
            SELECT batch_id, any_value(spans)
            FROM {LANDED_BATCHES.name} SEMI JOIN new_batches USING (batch_id)
            WHERE status = 'accepted' GROUP BY batch_id
            """
        ).fetchall()
        return dict(rows)

    def _scan_new(self, named: Sequence[Named]) -> dict[tuple[str, str], Scan]:
        scans: dict[tuple[str, str], Scan] = {}
        groups: dict[tuple[str, str], dict[str, Found]] = {}
        for one in named:
            if one.fault is None and one.batch_id not in self._accepted:
                groups.setdefault((one.found.taken.signal, one.format), {})[one.batch_id] = one.found
        for (signal, format_), fresh in groups.items():
            for start in range(0, len(fresh), _TOGETHER):
                some = list(fresh.items())[start : start + _TOGETHER]
                payloads = [found.payload for _, found in some]
                results = (
                    scan_feedback(payloads, self._landed_at)
                    if signal == "feedback"
                    else scan(payloads, format_, self._landed_at)
                )
                scans |= {(signal, batch_id): result for (batch_id, _), result in zip(some, results, strict=True)}
        return scans

    def _place(self, one: Named, scans: dict[tuple[str, str], Scan]) -> Indexed:
        if one.fault is not None:
            return Indexed(one, "rejected", Scan(error=one.fault))
        if one.batch_id in self._accepted:
            return Indexed(one, "duplicate", Scan(spans=self._accepted[one.batch_id]))
        result = scans[one.found.taken.signal, one.batch_id]
        if result.error is not None:
            return Indexed(one, "rejected", result)
        self._accepted[one.batch_id] = result.spans
        return Indexed(one, "accepted", result)

    def _row(self, one: Indexed) -> dict[str, object]:
        found = one.named.found
        return {
            "batch_id": one.named.batch_id,
            "status": one.status,
            "reason": one.scan.error if one.status == "rejected" else None,
            "signal": found.taken.signal,
            "format": one.named.format,
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


def _name(found: Sequence[Found]) -> list[Named]:
    """Hashing large batches lets go of the interpreter's lock, so that both cores do it."""
    parts = [found[start : start + _TOGETHER] for start in range(0, len(found), _TOGETHER)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return [named for part in pool.map(lambda some: [_identify(one) for one in some], parts) for named in part]


def _identify(found: Found) -> Named:
    kind = found.content.kind
    json_expected = kind in {"lines", "document"} or found.taken.signal == "feedback"
    if found.fault is not None or kind != "frames":
        return Named(found, hashlib.sha256(found.raw).hexdigest(), "json" if json_expected else "protobuf", found.fault)
    try:
        payload = found.payload
    except DamagedError as error:
        return Named(found, hashlib.sha256(found.raw).hexdigest(), "protobuf", f"{error}; export it again")
    format_ = "json" if json_expected or payload.startswith(b"{") else "protobuf"
    return Named(found, hashlib.sha256(payload).hexdigest(), format_, None)


def _sync(path: Path) -> None:
    """A door's segment is read while it is written: what the index names must be on disk before it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
