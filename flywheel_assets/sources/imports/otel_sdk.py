"""Spans as the OpenTelemetry SDKs print them: the JavaScript ReadableSpan and Python's `span.to_json()`.

One, many in an array, many under keys of a mapping, or one a line.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from flywheel_assets.sources.foreign import Foreign, Piece, Record, Refused
from flywheel_assets.sources.plain_spans import (
    KINDS,
    STATUSES,
    Plain,
    PlainEvent,
    PlainSpan,
    hex_id,
    json_text,
    mapping,
    nanoseconds,
    request,
)

Owner = tuple[Plain, Plain]


def _recognises(values: Sequence[object]) -> bool:
    return any(_is_span(one) for value in values for one in _each(value))


def _each(value: object) -> Iterator[object]:
    if isinstance(value, Mapping) and not _is_span(value) and value:
        groups = list(value.values())
        if all(isinstance(group, list) for group in groups):
            yield from (one for group in groups for one in group)
            return
    yield from value if isinstance(value, list) else [value]


def _is_span(one: object) -> bool:
    if not isinstance(one, Mapping) or "name" not in one or "span_kind" in one:
        return False
    context = mapping(one.get("spanContext") or one.get("context"))
    return bool((context.get("traceId") and "startTime" in one) or (context.get("trace_id") and "start_time" in one))


def _read(records: Iterable[Record], _content: bool) -> Iterator[Piece]:
    for record in records:
        owners: dict[str, tuple[Owner, list[PlainSpan]]] = {}
        for one in [] if record.fault else _each(record.value):
            if not _is_span(one):
                yield Refused(record.where, "no span of an OpenTelemetry SDK: it needs a context and a start", one)
                continue
            given = mapping(one)
            owner = _owner(given)
            owners.setdefault(json_text(owner) or "", (owner, []))[1].append(_span(given))
        for (resource, scope), spans in owners.values():
            yield request(spans, resource, scope)
        if record.fault is not None:
            yield Refused(record.where, record.fault)


def _owner(given: Plain) -> Owner:
    scope = (
        given.get("instrumentationScope") or given.get("instrumentationLibrary") or given.get("instrumentation_info")
    )
    return mapping(mapping(given.get("resource")).get("attributes")), mapping(scope)


def _span(given: Plain) -> PlainSpan:
    context, status = mapping(given.get("spanContext") or given.get("context")), mapping(given.get("status"))
    above = mapping(given.get("parentSpanContext"))
    parent = given.get("parentSpanId") or above.get("spanId") or given.get("parent_id")
    code = status.get("code", status.get("status_code"))
    return PlainSpan(
        trace_id=hex_id(context.get("traceId") or context.get("trace_id"), 32),
        span_id=hex_id(context.get("spanId") or context.get("span_id"), 16),
        parent_id=hex_id(parent, 16),
        name=str(given.get("name") or ""),
        start=nanoseconds(given.get("startTime", given.get("start_time"))),
        end=nanoseconds(given.get("endTime", given.get("end_time"))),
        kind=_kind(given.get("kind")),
        status=code if isinstance(code, int) else STATUSES.index(str(code)) if code in STATUSES else 0,
        message=str(status.get("message") or status.get("description") or ""),
        attributes=mapping(given.get("attributes")),
        events=[_event(mapping(event)) for event in _list(given.get("events"))],
        links=[_link(mapping(link)) for link in _list(given.get("links"))],
    )


def _kind(given: object) -> int:
    """OTLP's number; JavaScript's begins one earlier, Python has names."""
    if isinstance(given, int) and not isinstance(given, bool):
        return given + 1 if 0 <= given < len(KINDS) - 1 else 0
    name = str(given or "").rpartition(".")[2]
    return KINDS.index(name) if name in KINDS else 0


def _event(given: Plain) -> PlainEvent:
    at = nanoseconds(given.get("time", given.get("timestamp")))
    return PlainEvent(str(given.get("name") or ""), at, mapping(given.get("attributes")))


def _link(given: Plain) -> tuple[str, str]:
    context = mapping(given.get("context"))
    return (
        hex_id(context.get("traceId") or context.get("trace_id"), 32),
        hex_id(context.get("spanId") or context.get("span_id"), 16),
    )


def _list(given: object) -> list[object]:
    return given if isinstance(given, list) else []


FORM = Foreign("otel_sdk", _recognises, _read)
