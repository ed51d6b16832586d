"""A day's batches gone through, a chunk at a time, and their rows told apart."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa

from flywheel_assets.spans import ids
from flywheel_assets.spans.payloads import Batch, read_rows

CHUNK_BYTES = 16 * 2**20
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

    def only(self, chosen: np.ndarray) -> pa.RecordBatch:
        """The chosen rows."""
        return self.rows if chosen.all() else self.rows.filter(pa.array(chosen))


@dataclass(frozen=True, slots=True)
class Read:
    """What one chunk held; `unreadable` batches with the reason."""

    parts: list[Part]
    unreadable: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Passage:
    """All chunks of a day, which can be gone through several times."""

    opened: Callable[[], Iterable[Batch]]
    day: date
    repeated: np.ndarray

    def chunks(self) -> Iterator[list[Batch]]:
        """The batches, the same chunks each time."""
        return chunks(self.opened(), set())

    def read(self, number: int, chunk: list[Batch]) -> Read:
        """Decode the chunk of that number; each row gets a place of its own."""
        read, place, parts = read_rows(chunk, self.day), number << 32, list[Part]()
        for rows in read.rows:
            parts.append(Part.of(rows, place, self.day, self.repeated))
            place += len(rows)
        return Read(parts, read.unreadable)
