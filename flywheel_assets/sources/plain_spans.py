"""`PlainSpan`: a span told in somebody else's form, and OTLP/JSON written from it.

The same input gives the same bytes, so what is brought in twice is recognised by landing; ids that
are not OTLP's are derived from the other system's by hashing.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import orjson

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES = ("UNSET", "OK", "ERROR")
Plain = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PlainEvent:
    """An event of a span."""

    name: str
    at: int
    attributes: Plain = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class PlainSpan:
    """Times in nanoseconds since 1970 (0: none); `kind` and `status` as OTLP numbers; values are plain JSON."""

    trace_id: str
    span_id: str
    name: str
    start: int
    end: int = 0
    parent_id: str = ""
    kind: int = 1
    status: int = 0
    message: str = ""
    attributes: Plain = field(default_factory=dict[str, object])
    events: Sequence[PlainEvent] = ()
    links: Sequence[tuple[str, str]] = ()


def request(spans: Iterable[PlainSpan], resource: Plain, scope: Plain) -> bytes:
    """One OTLP/JSON export request on one line. `scope` has `name`, `version` and `attributes`, if at all."""
    instrumentation = {
        **{name: str(scope[name]) for name in ("name", "version") if scope.get(name)},
        **({"attributes": pairs(mapping(scope.get("attributes")))} if scope.get("attributes") else {}),
    }
    scoped = {"scope": instrumentation, "spans": [_span(span) for span in spans]}
    return orjson.dumps({"resourceSpans": [{"resource": {"attributes": pairs(resource)}, "scopeSpans": [scoped]}]})


def _span(span: PlainSpan) -> dict[str, object]:
    written: dict[str, object] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start),
        "endTimeUnixNano": str(span.end),
        "attributes": pairs(span.attributes),
        "status": {"code": span.status, **({"message": span.message} if span.message else {})},
    }
    if span.parent_id:
        written["parentSpanId"] = span.parent_id
    if span.events:
        written["events"] = [
            {"timeUnixNano": str(event.at), "name": event.name, "attributes": pairs(event.attributes)}
            for event in span.events
        ]
    if span.links:
        written["links"] = [{"traceId": trace, "spanId": one} for trace, one in span.links]
    return written


def pairs(plain: Plain) -> list[dict[str, object]]:
    """OTLP's KeyValue list; what is None is left out."""
    return [{"key": str(key), "value": _value(value)} for key, value in plain.items() if value is not None]


def _value(plain: object) -> dict[str, object]:
    match plain:
        case bool():
            told: dict[str, object] = {"boolValue": plain}
        case int() if -(2**63) <= plain < 2**63:
            told = {"intValue": str(plain)}
        case float() | Decimal():
            told = {"doubleValue": _number(float(plain))}
        case Mapping():
            told = {"kvlistValue": {"values": pairs(plain)}}
        case list() | tuple():
            told = {"arrayValue": {"values": [_value(item) for item in plain]}}
        case None:
            told = {}
        case _:
            # Half a surrogate pair, which JSON can spell and UTF-8 cannot, becomes a question mark.
            told = {"stringValue": str(plain).encode(errors="replace").decode()}
    return told


def _number(value: float) -> float | str:
    return value if value - value == 0 else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")


def hex_id(given: object, digits: int) -> str:
    """`given` where it is an id of so many hex digits (with or without 0x or hyphens), else its hash."""
    text = str(given or "").strip().lower().removeprefix("0x")
    bare = text.replace("-", "")
    if len(bare) == digits and all(letter in "0123456789abcdef" for letter in bare) and bare.strip("0"):
        return bare
    return hashlib.sha256(text.encode()).hexdigest()[:digits] if text else ""


def nanoseconds(given: object) -> int:
    """A time as nanoseconds since 1970; 0 where it is none.

    Takes ISO text (UTC where it has no zone), datetimes, the OpenTelemetry JavaScript SDK's
    [seconds, nanoseconds], and numbers of seconds, milli-, micro- or nanoseconds by their size.
    """
    found = 0
    match given:
        case datetime():
            moment = given if given.tzinfo else given.replace(tzinfo=UTC)
            whole = int(moment.replace(microsecond=0).timestamp())
            found = whole * 10**9 + moment.microsecond * 1000 + int(getattr(moment, "nanosecond", 0))
        case [int() as seconds, int() as rest]:
            found = seconds * 10**9 + rest
        case bool():
            pass
        case int() | float() if 0 < given < 2**63:
            found = _scaled(given)
        case str() if given.strip().isascii() and given.strip().isdigit():
            found = _scaled(int(given.strip()[:20]))
        case str():
            found = _moment(given.strip())
        case _:
            pass
    return found


def _scaled(number: float) -> int:
    for limit, factor in ((1e11, 10**9), (1e14, 10**6), (1e17, 10**3)):
        if number < limit:
            return number * factor if isinstance(number, int) else round(number * factor)
    return int(number)


def _moment(text: str) -> int:
    try:
        return nanoseconds(datetime.fromisoformat(text))
    except ValueError:
        return 0


def mapping(given: object) -> Plain:
    """The mapping, also out of JSON text; an empty one for anything else."""
    if isinstance(given, str) and given.lstrip()[:1] == "{":
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            return {}
    return given if isinstance(given, Mapping) else {}


def json_text(given: object) -> str | None:
    """Text as it is, anything else as JSON; None for None."""
    if given is None or isinstance(given, str):
        return given
    return orjson.dumps(given, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
