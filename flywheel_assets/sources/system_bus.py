"""Events of a system bus → one OTLP/JSON export request, so that they land and decode as all spans do.

What comes twice is left out: by id, then by content. A burst of equal events that belong to no unit of
work becomes one span with a count and its first and last time. An event without a time is in the request
too, for landing to set aside; what is no event at all is handed back with the reason.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

import orjson

from flywheel_assets.sources.bus_event import Event, digest, is_event, read_event
from flywheel_assets.sources.bus_span import Attribute, Known, attribute, known, span_of
from flywheel_assets.sources.foreign import Refused

# More than so many equal events in one minute are a storm.
STORM = 20
MINUTE_NS = 60 * 10**9
NOT_AN_EVENT, NO_TIME = "not an event: it needs a source, a component and an action", "time_missing"
_VARIES = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|\d+", re.IGNORECASE)
_SCOPE = {"name": "flywheel_assets.system_bus"}


@dataclass(frozen=True, slots=True)
class Converted:
    """One export request, empty where there was nothing to say, and what became of the documents.

    documents = spans + duplicates + collapsed + refused; each of the `storms` spans stands for itself and
    for its share of the collapsed. `timeless` spans are those that landing will set aside.
    """

    payload: bytes = b""
    documents: int = 0
    spans: int = 0
    duplicates: int = 0
    storms: int = 0
    collapsed: int = 0
    timeless: int = 0
    refused: tuple[Refused, ...] = ()

    @property
    def set_aside(self) -> dict[str, int]:
        """What cannot be placed, counted by reason."""
        counts = {NO_TIME: self.timeless, NOT_AN_EVENT: len(self.refused)}
        return {reason: count for reason, count in counts.items() if count}


@dataclass(slots=True)
class _Burst:
    """Equal events of one minute: the first few, and how many there were."""

    held: list[Known] = field(default_factory=list[Known])
    count: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def add(self, one: Known, threshold: int) -> None:
        at = one.event.end_ns
        self.first_ns = min(self.first_ns, at) if self.count else at
        self.last_ns = max(self.last_ns, at)
        self.count += 1
        if len(self.held) < threshold:
            self.held.append(one)


def convert(documents: Iterable[object], where: str = "event", storm: int = STORM) -> Converted:
    """One span for each document, duplicates and storms apart; `where` begins the place of what is refused.

    The ids of all documents are in memory, of equal ones the first few besides: convert some thousand
    at a time.
    """
    seen: set[str] = set()
    bursts: dict[tuple[object, ...], _Burst] = {}
    by_emitter: dict[tuple[str, str | None], list[dict[str, object]]] = {}
    refused: list[Refused] = []
    total = duplicates = timeless = 0
    for document in documents:
        total += 1
        if not is_event(document):
            refused.append(Refused(f"{where} {total}", NOT_AN_EVENT, document))
            continue
        one = known(read_event(cast("dict[str, object]", document)))
        if one.span_id in seen or one.event.id in seen:
            duplicates += 1
            continue
        seen.update((one.span_id, one.event.id))
        timeless += not one.event.end_ns
        if one.unit is None and one.event.end_ns:
            bursts.setdefault(_burst_key(one.event), _Burst()).add(one, storm)
        else:
            _put(by_emitter, one.event, span_of(one))
    storms = [burst for burst in bursts.values() if burst.count > storm]
    for burst in bursts.values():
        spans = [_storm_span(burst)] if burst.count > storm else [span_of(one) for one in burst.held]
        for span in spans:
            _put(by_emitter, burst.held[0].event, span)
    return Converted(
        payload=_request(by_emitter) if by_emitter else b"",
        documents=total,
        spans=sum(map(len, by_emitter.values())),
        duplicates=duplicates,
        storms=len(storms),
        collapsed=sum(burst.count - 1 for burst in storms),
        timeless=timeless,
        refused=tuple(refused),
    )


def error_signature(event: Event) -> str:
    """What equal failures share: the error without its numbers and ids; the content where none is stated."""
    return _VARIES.sub("#", event.error)[:200] if event.error else event.signature


def _burst_key(event: Event) -> tuple[object, ...]:
    minute = event.end_ns // MINUTE_NS
    return (event.source, event.system, event.component, event.action, event.level, error_signature(event), minute)


def _storm_span(burst: _Burst) -> dict[str, object]:
    """The first of the burst, standing for all of it."""
    first = burst.held[0]
    attributes: list[Attribute] = [
        attribute("flywheel.storm.count", burst.count),
        attribute("flywheel.storm.signature", error_signature(first.event)),
    ]
    span = span_of(first)
    return {
        **span,
        # Bursts that were cut in two by a page stay two rows, and their counts add up.
        "spanId": digest("storm", first.span_id)[:16],
        "startTimeUnixNano": str(burst.first_ns),
        "endTimeUnixNano": str(burst.last_ns),
        "attributes": [*cast("list[Attribute]", span["attributes"]), *attributes],
    }


def _put(
    by_emitter: dict[tuple[str, str | None], list[dict[str, object]]], event: Event, span: dict[str, object]
) -> None:
    by_emitter.setdefault((event.source, event.system), []).append(span)


def _request(by_emitter: Mapping[tuple[str, str | None], list[dict[str, object]]]) -> bytes:
    resources = [
        {
            "resource": {
                "attributes": [
                    attribute("service.name", source),
                    *([attribute("host.name", system)] if system else []),
                ]
            },
            "scopeSpans": [{"scope": _SCOPE, "spans": spans}],
        }
        for (source, system), spans in by_emitter.items()
    ]
    return orjson.dumps({"resourceSpans": resources})
