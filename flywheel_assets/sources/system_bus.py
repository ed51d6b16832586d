"""Events of a system bus → one OTLP/JSON export request, so that they land and decode as all spans do.

What comes twice is left out: by id, then by content. A burst of equal events that belong to no unit of
work becomes one span with a count and its first and last time. What has no time, or is no event, is in
the request too: landing sets it aside with the reason, and its bytes are kept.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

import orjson

from flywheel_assets.sources.bus_event import Event, digest, is_event, read_event
from flywheel_assets.sources.bus_span import Attribute, Known, attribute, known, span_of

# More than so many equal events in one minute are a storm.
STORM = 20
MINUTE_NS = 60 * 10**9
NOT_AN_EVENT, NO_TIME = "not an event", "time_missing"
_VARIES = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|\d+", re.IGNORECASE)
_SCOPE = {"name": "flywheel_assets.system_bus"}


@dataclass(frozen=True, slots=True)
class Converted:
    """One export request, empty where there was nothing to say, and what became of the documents.

    documents = spans + duplicates + collapsed; `storms` spans stand for the collapsed ones and for one
    each. `set_aside` counts, by reason, the spans that landing will refuse to place.
    """

    payload: bytes = b""
    documents: int = 0
    spans: int = 0
    duplicates: int = 0
    storms: int = 0
    collapsed: int = 0
    set_aside: Mapping[str, int] = field(default_factory=dict[str, int])


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


def convert(documents: Iterable[object], storm: int = STORM) -> Converted:
    """One span for each document, duplicates and storms apart. Memory grows with what is different."""
    seen: set[str] = set()
    bursts: dict[tuple[object, ...], _Burst] = {}
    by_emitter: dict[tuple[str, str | None], list[dict[str, object]]] = {}
    counts: Counter[str] = Counter()
    total = duplicates = 0
    for document in documents:
        total += 1
        if not is_event(document):
            counts[NOT_AN_EVENT] += 1
            by_emitter.setdefault(("unknown", None), []).append(_unreadable(document))
            continue
        one = known(read_event(cast("dict[str, object]", document)))
        if one.span_id in seen or one.event.id in seen:
            duplicates += 1
            continue
        seen.update((one.span_id, one.event.id))
        counts[NO_TIME] += not one.event.end_ns
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
        set_aside={reason: count for reason, count in counts.items() if count},
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


def _unreadable(document: object) -> dict[str, object]:
    text = orjson.dumps(document, default=str, option=orjson.OPT_SORT_KEYS).decode()
    name = digest("unreadable", text)
    shown = [attribute("system_bus.document", text)]
    return {"traceId": name, "spanId": name[:16], "name": NOT_AN_EVENT, "startTimeUnixNano": "0", "attributes": shown}


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
