"""A day's landed batches → that day's `raw_spans`, a chunk at a time.

A first pass finds span ids that occur more than once (nearly none): it decodes what fits into memory,
and of the rest looks at span ids alone. Chunks with such ids are then decoded, to choose between the
copies; at last every chunk that is not held is decoded by whoever takes its rows. So memory holds a
fixed amount and a chunk for each taker, whatever the day's size.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from threading import Lock
from typing import Any

import pyarrow as pa

from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.overwrite import Ready
from flywheel_assets.lake.rebuild import Job
from flywheel_assets.spans.copies import Copies
from flywheel_assets.spans.losses import Losses
from flywheel_assets.spans.maps import SCHEMA
from flywheel_assets.spans.passage import Passage, among
from flywheel_assets.spans.payloads import Batch
from flywheel_assets.tables.dialect_losses import DIALECT_LOSSES
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.steps import DECODE

Batches = Iterable[Batch] | Callable[[], Iterable[Batch]]
COUNTS, LOSSES = "counts", "losses"


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
    """The day's rows, to be taken once; their fingerprint; and the counts and losses that taking them fills.

    Each of `parts` gives some of the rows when it is called; several threads may call different ones.
    The fingerprint is that of the set of batches: equal ones mean equal rows, while a batch that only
    repeats known spans changes it (and ripples once).
    """

    parts: Iterator[Callable[[], pa.Table]]
    content: str
    counts: Counts
    losses: Losses

    @property
    def rows(self) -> pa.RecordBatchReader:
        """The rows as one stream."""
        batches = (batch for part in self.parts for batch in part().cast(RAW_SPANS.schema).to_batches())
        return pa.RecordBatchReader.from_batches(RAW_SPANS.schema, batches)


def decode_into(opened: Callable[[Lake, date], Batches], job: Job) -> tuple[list[Ready], dict[str, Any]]:
    """The work of `steps.DECODE`, on the day's batches as `opened` gives them; told are counts and losses."""
    found = decode_day(opened(job.lake, job.day), job.day)
    spans = job.write(RAW_SPANS, found.parts, found.content)
    report = found.losses.table(job.day)
    return [spans, job.write(DIALECT_LOSSES, report, found.content)], {COUNTS: found.counts, LOSSES: report}


def decode_day(batches: Batches, day: date) -> Decoded:
    """The spans of `batches` that start on `day` (UTC), each once, in no particular order.

    `batches` is gone through two or three times, and must come in the same order each time: give a
    list, another re-iterable, or a function that returns an iterable; an iterator is read into
    memory. Neither order nor repetition nor how spans are spread over batches changes the rows (but
    for `batch_id`, which names the least batch that held the row).
    """
    opened, names = _reopenable(batches), set[str]()
    passage = Passage(opened, day)
    doubtful = passage.look(names)
    counts, losses = Counts(), Losses()
    parts = _parts(passage, doubtful, counts, losses)
    content = hashlib.sha256("\n".join([DECODE.version, *sorted(names)]).encode()).hexdigest()[:15]
    return Decoded(parts, content, counts, losses)


def _reopenable(batches: Batches) -> Callable[[], Iterable[Batch]]:
    if callable(batches):
        return batches
    kept = list(batches) if isinstance(batches, Iterator) else batches
    return lambda: kept


def _parts(passage: Passage, doubtful: set[int], counts: Counts, losses: Losses) -> Iterator[Callable[[], pa.Table]]:
    copies, counting = Copies(), Lock()
    for number, chunk in enumerate(passage.chunks() if doubtful else ()):
        if number in doubtful:
            for part in passage.read(number, chunk, last=False).parts:
                copies.add(part.only(part.doubtful), part.places[part.doubtful])
    best = copies.best()

    def rows(number: int, chunk: list[Batch]) -> pa.Table:
        read = passage.read(number, chunk)
        lost = [part.doubtful & ~among(part.places, best) for part in read.parts]
        kept = [some for part, one in zip(read.parts, lost, strict=True) for some in part.only(part.today & ~one)]
        became = Losses()
        for some in kept:
            became.add(some)
        with counting:
            counts.unreadable += read.unreadable
            counts.rows += sum(map(len, kept))
            counts.duplicates += sum(int(one.sum()) for one in lost)
            counts.other_days += sum(int((part.usable & ~part.today).sum()) for part in read.parts)
            counts.set_aside += sum(int((~part.usable).sum()) for part in read.parts)
            losses.merge(became)
        return pa.Table.from_batches(kept, SCHEMA)

    for number, chunk in enumerate(passage.chunks()):
        yield partial(rows, number, chunk)
