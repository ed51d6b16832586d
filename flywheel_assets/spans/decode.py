"""A day's landed batches → that day's `raw_spans`, streamed.

A first pass looks at span ids alone and finds those that occur more than once (nearly none). The
second pass decodes a chunk at a time; rows with such an id are held back until all copies are
known, all others leave at once. So memory holds a few chunks, whatever the day's size.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa

from flywheel_assets.spans import ids
from flywheel_assets.spans.copies import Copies
from flywheel_assets.spans.payloads import Batch, Read, read_rows, span_ids
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.steps import DECODE

CHUNK_BYTES = 16 * 2**20
WORKERS = 2
DAY_NANOSECONDS = 86_400 * 10**9

Batches = Iterable[Batch] | Callable[[], Iterable[Batch]]


@dataclass(slots=True)
class Counts:
    """What became of the spans; complete once the rows have been read to their end.

    `unreadable` names batches (and why) that neither reader takes: landing should have refused them.
    """

    rows: int = 0
    duplicates: int = 0
    other_days: int = 0
    set_aside: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The day's rows, to be read once; their fingerprint; and the counts that reading them fills.

    The fingerprint is that of the set of batches: equal ones mean equal rows, while a batch that only
    repeats known spans changes it (and ripples once).
    """

    rows: pa.RecordBatchReader
    content: str
    counts: Counts


def decode_day(batches: Batches, day: date) -> Decoded:
    """The spans of `batches` that start on `day` (UTC), each once, in no particular order.

    `batches` is gone through twice: give a list, another re-iterable, or a function that returns an
    iterable; an iterator is read into memory. Neither order nor repetition nor how spans are spread
    over batches changes the rows (but for `batch_id`, which names the least batch that held the row).
    """
    opened = _reopenable(batches)
    found, names = [np.empty(0, np.uint64)], set[str]()
    found += [span_ids(chunk) for chunk in _chunks(opened(), names)]
    occurring, often = np.unique(np.concatenate(found), return_counts=True)
    counts = Counts()
    stream = _stream(opened(), day, occurring[often > 1], counts)
    content = hashlib.sha256("\n".join([DECODE.version, *sorted(names)]).encode()).hexdigest()[:15]
    return Decoded(pa.RecordBatchReader.from_batches(RAW_SPANS.schema, stream), content, counts)


def _reopenable(batches: Batches) -> Callable[[], Iterable[Batch]]:
    if callable(batches):
        return batches
    kept = list(batches) if isinstance(batches, Iterator) else batches
    return lambda: kept


def _chunks(batches: Iterable[Batch], seen: set[str]) -> Iterator[list[Batch]]:
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


def _stream(batches: Iterable[Batch], day: date, repeated: np.ndarray, counts: Counts) -> Iterator[pa.RecordBatch]:
    copies = Copies()
    with ThreadPoolExecutor(WORKERS) as pool:
        for read in _ahead(pool, _chunks(batches, set()), day):
            counts.unreadable += read.unreadable
            for rows in read.rows:
                fresh, held = _split(rows, day, repeated, counts)
                copies.hold(held)
                counts.rows += len(fresh)
                yield fresh
    for rows in copies.best():
        counts.rows += len(rows)
        yield rows
    counts.duplicates = copies.held - copies.kept


def _ahead(pool: ThreadPoolExecutor, chunks: Iterator[list[Batch]], day: date) -> Iterator[Read]:
    """Chunks decoded in order, a few ahead of whoever takes them."""
    pending: deque[Future[Read]] = deque()
    for chunk in chunks:
        pending.append(pool.submit(read_rows, chunk, day))
        if len(pending) > WORKERS:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _split(
    rows: pa.RecordBatch, day: date, repeated: np.ndarray, counts: Counts
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The day's rows: those that occur once, and those that may have copies."""
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 10**9
    usable = ids.usable(rows["trace_id"], 32) & ids.usable(rows["span_id"], 16)
    since = rows["start_unix_nano"].to_numpy() - start
    today = usable & (since >= 0) & (since < DAY_NANOSECONDS)
    counts.set_aside += int((~usable).sum())
    counts.other_days += int((usable & ~today).sum())
    kept = rows if today.all() else rows.filter(pa.array(today))
    if not len(repeated):
        return kept, kept.slice(0, 0)
    doubtful = np.isin(ids.numbers(kept["span_id"]), repeated)
    if not doubtful.any():
        return kept, kept.slice(0, 0)
    return kept.filter(pa.array(~doubtful)), kept.filter(pa.array(doubtful))
