"""A day's batches gone through, a chunk at a time, and their rows told apart."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa

from flywheel_assets.spans import ids, payloads
from flywheel_assets.spans.payloads import Batch, read_rows, span_ids

CHUNK_BYTES = 16 * 2**20
# So many bytes of a day's rows are held once decoded; of what is beyond them only span ids are looked at ahead.
HELD_BYTES = 320 * 2**20
# Each run costs as much as to copy some thousand rows.
FEW = 4
DAY_NANOSECONDS = 86_400 * 10**9


def chunks(batches: Iterable[Batch], seen: set[str]) -> Iterator[list[Batch]]:
    """The batches in groups of about CHUNK_BYTES, each id once; ids are added to `seen`."""
    chunk: list[Batch] = []
    size = 0
    for batch in batches:
        if batch.batch_id not in seen:
            seen.add(batch.batch_id)
            chunk.append(batch)
            size += len(batch.payload)
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def among(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Whether each value is one of `ordered`, which is ascending and may be much longer."""
    if not len(ordered):
        return np.zeros(len(values), bool)
    found = np.searchsorted(ordered, values)
    return ordered[np.minimum(found, len(ordered) - 1)] == values


def _numbers(span_ids: pa.StringArray) -> np.ndarray:
    usable = ids.usable(span_ids, 16)
    return ids.numbers(span_ids if usable.all() else span_ids.filter(pa.array(usable)))


def _joined(numbers: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.uint64), *numbers])


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of one chunk; the masks say which have usable ids, are of the day, may have copies."""

    rows: pa.RecordBatch
    places: np.ndarray
    usable: np.ndarray
    today: np.ndarray
    doubtful: np.ndarray

    @classmethod
    def of(cls, rows: pa.RecordBatch, place: int, day: date, repeated: np.ndarray) -> "Part":
        """Rows of places from `place` on; `repeated` are the span ids that may have copies."""
        start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 10**9
        usable = ids.usable(rows["trace_id"], 32) & ids.usable(rows["span_id"], 16)
        since = rows["start_unix_nano"].to_numpy() - start
        today = usable & (since >= 0) & (since < DAY_NANOSECONDS)
        doubtful = np.zeros(len(rows), bool)
        if len(repeated):
            doubtful[today] = among(ids.numbers(rows["span_id"].filter(pa.array(today))), repeated)
        return cls(rows, place + np.arange(len(rows)), usable, today, doubtful)

    def only(self, chosen: np.ndarray) -> list[pa.RecordBatch]:
        """The chosen rows in order. They are nearly always few runs of rows that follow one another: not copied."""
        runs = np.flatnonzero(np.diff(chosen, prepend=False, append=False)).reshape(-1, 2)
        if len(runs) > FEW:
            return [self.rows.filter(pa.array(chosen))]
        return [self.rows.slice(first, end - first) for first, end in runs.tolist()]


@dataclass(frozen=True, slots=True)
class Read:
    """What one chunk held; `unreadable` batches with the reason."""

    parts: list[Part]
    unreadable: list[tuple[str, str]]


@dataclass(slots=True)
class Passage:
    """All chunks of a day, which can be gone through several times."""

    opened: Callable[[], Iterable[Batch]]
    day: date
    repeated: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint64))
    _held: dict[int, payloads.Read] = field(default_factory=dict[int, payloads.Read])

    def look(self, seen: set[str]) -> set[int]:
        """Find span ids that may have copies; returns the chunks that hold some, adds the batches' ids to `seen`."""
        found: list[np.ndarray] = []
        bytes_left = HELD_BYTES
        for number, chunk in enumerate(chunks(self.opened(), seen)):
            if bytes_left <= 0:
                found.append(span_ids(chunk))
                continue
            read = self._held[number] = read_rows(chunk, self.day)
            bytes_left -= sum(rows.nbytes for rows in read.rows)
            found.append(_joined([_numbers(rows["span_id"]) for rows in read.rows]))
        occurring, often = np.unique(_joined(found), return_counts=True)
        self.repeated = occurring[often > 1]
        return {number for number, held in enumerate(found) if among(held, self.repeated).any()}

    def chunks(self) -> Iterator[list[Batch]]:
        """The batches, the same chunks each time."""
        return chunks(self.opened(), set())

    def read(self, number: int, chunk: list[Batch], *, last: bool = True) -> Read:
        """Decode the chunk of that number, unless its rows are held; each row gets a place of its own."""
        held = self._held.pop(number, None) if last else self._held.get(number)
        read, place, parts = held or read_rows(chunk, self.day), number << 32, list[Part]()
        for rows in read.rows:
            parts.append(Part.of(rows, place, self.day, self.repeated))
            place += len(rows)
        return Read(parts, read.unreadable)
