"""Events of a system bus in files: exports of a store as JSON lines, and the outbox's file for each event."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from flywheel_assets.sources.bus_event import is_event
from flywheel_assets.sources.foreign import Foreign, Piece, Record, Refused
from flywheel_assets.sources.system_bus import convert

# Storms are told within so many events.
TOGETHER = 20_000


def _recognises(values: Sequence[object]) -> bool:
    return any(is_event(one) for value in values for one in _each(value))


def _each(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]


def _read(records: Iterable[Record], _content: bool) -> Iterator[Piece]:
    records = iter(records)
    while some := list(islice(records, TOGETHER)):
        yield from (Refused(record.where, record.fault) for record in some if record.fault is not None)
        documents = chain.from_iterable(_each(record.value) for record in some if record.fault is None)
        found = convert(documents, f"event after {some[0].where}")
        yield from found.refused
        if found.payload:
            yield found.payload


FORM = Foreign(name="system_bus", recognises=_recognises, read=_read)
