"""A day's landed batches → that day's `raw_spans`, streamed.

A first pass looks at span ids alone and finds those that occur more than once (nearly none). Chunks
with such ids are decoded once ahead, to choose between the copies; then all chunks are decoded and
leave as they come. So memory holds a few chunks, whatever the day's size.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa

from flywheel_assets.spans.copies import Copies
from flywheel_assets.spans.losses import Losses
from flywheel_assets.spans.passage import Passage, among, chunks
from flywheel_assets.spans.payloads import Batch, span_ids
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.steps import DECODE

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
    """The day's rows, to be read once; their fingerprint; and the counts and losses that reading them fills.

    The fingerprint is that of the set of batches: equal ones mean equal rows, while a batch that only
    repeats known spans changes it (and ripples once).
    """

    rows: pa.RecordBatchReader
    content: str
    counts: Counts
    losses: Losses


def decode_day(batches: Batches, day: date) -> Decoded:
    """The spans of `batches` that start on `day` (UTC), each once, in no particular order.

    `batches` is gone through two or three times, and must come in the same order each time: give a
    list, another re-iterable, or a function that returns an iterable; an iterator is read into
    memory. Neither order nor repetition nor how spans are spread over batches changes the rows (but
    for `batch_id`, which names the least batch that held the row).
    """
    opened, names = _reopenable(batches), set[str]()
    found = [span_ids(chunk) for chunk in chunks(opened(), names)]
    occurring, often = np.unique(np.concatenate([np.empty(0, np.uint64), *found]), return_counts=True)
    repeated = occurring[often > 1]
    doubtful = {number for number, held in enumerate(found) if among(held, repeated).any()}
    counts, losses = Counts(), Losses()
    stream = _stream(Passage(opened, day, repeated), doubtful, counts, losses)
    content = hashlib.sha256("\n".join([DECODE.version, *sorted(names)]).encode()).hexdigest()[:15]
    return Decoded(pa.RecordBatchReader.from_batches(RAW_SPANS.schema, stream), content, counts, losses)


def _reopenable(batches: Batches) -> Callable[[], Iterable[Batch]]:
    if callable(batches):
        return batches
    kept = list(batches) if isinstance(batches, Iterator) else batches
    return lambda: kept


def _stream(passage: Passage, doubtful: set[int], counts: Counts, losses: Losses) -> Iterator[pa.RecordBatch]:
    copies = Copies()
    for number, read in passage.decoded(only=doubtful) if doubtful else ():
        for part in passage.parts(number, read):
            copies.add(part.only(part.doubtful), part.places[part.doubtful])
    best = copies.best()
    for number, read in passage.decoded():
        counts.unreadable += read.unreadable
        for part in passage.parts(number, read):
            lost = part.doubtful & ~among(part.places, best)
            rows = part.only(part.today & ~lost)
            counts.rows += len(rows)
            losses.add(rows)
            counts.duplicates += int(lost.sum())
            counts.other_days += int((part.usable & ~part.today).sum())
            counts.set_aside += int((~part.usable).sum())
            yield rows
