"""Landing: index what is new in the inbox, once, whoever runs it and wherever it was killed before.

Where a file was left off is told by its rows in landed_batches alone. One landing runs at a time; the
rows of a pass are appended in one commit, and only then may the inbox let go of a file.
"""

import fcntl
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from flywheel_assets.lake.lake import Lake
from flywheel_assets.sources.framing import records
from flywheel_assets.sources.index import Found, Index, Indexed
from flywheel_assets.sources.open_file import Content, open_content
from flywheel_assets.sources.queues import take_queues
from flywheel_assets.sources.set_aside import write_set_aside
from flywheel_assets.sources.take import Taken, release, take
from flywheel_assets.tables.landed_batches import LANDED_BATCHES

# Per commit: enough that commits cost little, little enough that a killed landing repeats little.
PASS_BATCHES = 8192
PASS_BYTES = 512 * 1024 * 1024
INDEX_FILES = 64
_HEAD = 64 * 1024
_BLANK = b" \t\r\n\0"
TORN = "the file ends in the middle of a batch: export it again"
UNKNOWN = (
    "neither OTLP/JSON nor length-prefixed OTLP protobuf: "
    "write it with the Collector's file exporter, or move it out of the inbox"
)


@dataclass(slots=True)
class Landed:
    """What one landing added to the index, and what it left in place.

    `days` are those of new spans and feedback; `waiting` counts, by landing file, the bytes at its end
    that are not yet a whole batch.
    """

    files: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    spans: int = 0
    spans_set_aside: int = 0
    feedback: int = 0
    payload_bytes: int = 0
    days: set[date] = field(default_factory=set[date])
    waiting: dict[str, int] = field(default_factory=dict[str, int])


def land(lake: Lake, inbox: Path, landing: Path, landed_at: datetime) -> Landed:
    """Bring new batches from `inbox` into `landing` and index them; returns what was new.

    Safe to repeat, to kill and to run twice at once (the second waits for the first).
    """
    landing.mkdir(parents=True, exist_ok=True)
    landed = Landed()
    with _alone(landing):
        take_queues(inbox, landing)
        files = take(inbox, landing)
        if not files:
            return landed
        index = Index(lake, landing, landed_at)
        left_off = index.left_off([taken.file for taken in files])
        found = (batch for taken in files for batch in _new_batches(taken, landing, left_off, landed))
        for some in _passes(found):
            _count(landed, index.add(some))
            for content in {id(batch.content): batch.content for batch in some}.values():
                content.let_go()
        write_set_aside(lake, landing)
        for taken in files:
            release(taken)
        _compact(lake)
    return landed


def _compact(lake: Lake) -> None:
    """Each landing adds a small file to the index; many of them would slow down every reading of it."""
    opened = lake.open(LANDED_BATCHES)
    if opened is not None and len(opened.file_uris()) > INDEX_FILES:
        opened.optimize.compact()


@contextmanager
def _alone(landing: Path) -> Generator[None]:
    with (landing / ".lock").open("a") as lock:
        # The kernel lets go of it when its holder dies.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _passes(found: Iterable[Found]) -> Iterator[list[Found]]:
    """Batches to commit together. A compressed file is not split: it is indexed whole or not at all."""
    some: list[Found] = []
    size = 0
    for batch in found:
        full = len(some) >= PASS_BATCHES or size >= PASS_BYTES
        if full and not (batch.taken.compressed and batch.taken == some[-1].taken):
            yield some
            some, size = [], 0
        some.append(batch)
        size += batch.length
    if some:
        yield some


def _new_batches(taken: Taken, landing: Path, left_off: dict[str, tuple[int, int]], landed: Landed) -> Iterator[Found]:
    """The file's batches that are not indexed yet, in order."""
    if taken.compressed and taken.file in left_off:
        return
    position, ordinal = left_off.get(taken.file, (0, 0))
    if position >= (landing / taken.file).stat().st_size and not taken.compressed:
        return
    content = open_content(landing / taken.file, landing)
    first, broken = ordinal, False
    while content.kind is not None:
        part = records(content.data, content.kind, position, PASS_BATCHES)
        for offset, length in part.ranges:
            yield Found(taken, content, ordinal, offset, length)
            ordinal += 1
        position, broken = part.end, part.broken
        if not part.ranges:
            break
    landed.files += ordinal > first
    fault = _fault(taken, content, position, broken=broken)
    rest = len(content.data) - position
    if fault is not None:
        yield Found(taken, content, ordinal, position, rest, fault)
    elif not taken.finished and content.data[position : position + _HEAD].strip(_BLANK):
        landed.waiting[taken.file] = rest


def _fault(taken: Taken, content: Content, position: int, *, broken: bool) -> str | None:
    """Why nothing more can come of the file's bytes from `position` on, where that is so."""
    if content.damage is not None:
        return f"damaged ({content.damage}): export it again"
    blank = not content.data[position : position + _HEAD].strip(_BLANK)
    if broken and not blank:
        return UNKNOWN
    return TORN if taken.finished and taken.whole and not (blank and content.whole) else None


def _count(landed: Landed, indexed: Iterable[Indexed]) -> None:
    for one in indexed:
        landed.payload_bytes += one.looked.found.length
        if one.status == "rejected":
            landed.rejected += 1
        elif one.status == "duplicate":
            landed.duplicates += 1
        else:
            landed.accepted += 1
            landed.days.update(one.scan.days)
            if one.looked.found.taken.signal == "feedback":
                landed.feedback += one.scan.spans
            else:
                landed.spans += one.scan.spans
                landed.spans_set_aside += len(one.scan.set_aside)
