"""OTLP/JSON → OTLP protobuf, document by document: exact and slow, for what the columnar reader cannot hold.

Takes camelCase and snake_case names, numbers as numbers or text, enums as numbers or names. Ids are
hex (protobuf's own JSON reader takes them for base64 and corrupts them). A value that does not fit
its kind is kept as text, an id or time that is none is left out, which sets the span aside.
"""

import base64
from collections.abc import Iterable, Mapping

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

Document = Mapping[str, object]
# Protobuf parsers refuse messages nested a hundred deep, and each level of a value is two of theirs.
DEEPEST = 40


def as_protobuf(payload: bytes) -> bytes:
    """The same request in protobuf. Raises ValueError where the payload is not JSON."""
    request = ExportTraceServiceRequest()
    for given in _items(orjson.loads(payload), "resourceSpans"):
        resource_spans = request.resource_spans.add()
        _attributes(resource_spans.resource.attributes, _part(given, "resource"))
        for scoped in _items(given, "scopeSpans"):
            _scope_spans(resource_spans.scope_spans.add(), scoped)
    return request.SerializeToString()


def _scope_spans(target: ScopeSpans, given: Document) -> None:
    scope = _part(given, "scope")
    target.scope.name, target.scope.version = _text(scope, "name"), _text(scope, "version")
    _attributes(target.scope.attributes, scope)
    for span in _items(given, "spans"):
        _span(target.spans.add(), span)


def _span(target: Span, given: Document) -> None:
    target.trace_id, target.span_id = _id(given, "traceId"), _id(given, "spanId")
    target.parent_span_id, target.name = _id(given, "parentSpanId"), _text(given, "name")
    target.trace_state, target.flags = _text(given, "traceState"), _count(given, "flags")
    target.dropped_attributes_count = _count(given, "droppedAttributesCount")
    target.dropped_events_count = _count(given, "droppedEventsCount")
    target.dropped_links_count = _count(given, "droppedLinksCount")
    target.kind = _enum(Span.SpanKind.DESCRIPTOR.values_by_name, _get(given, "kind"))  # pyright: ignore[reportAttributeAccessIssue]
    target.start_time_unix_nano = _time(given, "startTimeUnixNano")
    target.end_time_unix_nano = _time(given, "endTimeUnixNano")
    _attributes(target.attributes, given)
    for event in _items(given, "events"):
        added = target.events.add(time_unix_nano=_time(event, "timeUnixNano"), name=_text(event, "name"))
        _attributes(added.attributes, event)
    for link in _items(given, "links"):
        _attributes(target.links.add(trace_id=_id(link, "traceId"), span_id=_id(link, "spanId")).attributes, link)
    status = _part(given, "status")
    target.status.code = _enum(Status.StatusCode.DESCRIPTOR.values_by_name, _get(status, "code"))  # pyright: ignore[reportAttributeAccessIssue]
    target.status.message = _text(status, "message")


def _attributes(target: object, given: Document) -> None:
    for item in _items(given, "attributes"):
        entry: KeyValue = target.add()  # pyright: ignore[reportAttributeAccessIssue]
        entry.key = _text(item, "key")
        _value(entry.value, _get(item, "value"))


def _value(target: AnyValue, given: object, depth: int = 0) -> None:
    """Set the one kind that `given` names; none of them leaves the value absent."""
    target.SetInParent()
    if not isinstance(given, Mapping):
        return
    for name, field in _VALUE_FIELDS.items():
        value = _get(given, name)
        if value is not None:
            try:
                _set(target, field, value, depth)
            except (TypeError, ValueError):
                target.string_value = value if isinstance(value, str) else _shown(value)
            return


def _shown(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # nested deeper than it writes
        return "(nested too deeply; see the landed batch)"


_VALUE_FIELDS = {
    "stringValue": "string_value",
    "boolValue": "bool_value",
    "intValue": "int_value",
    "doubleValue": "double_value",
    "bytesValue": "bytes_value",
    "arrayValue": "array_value",
    "kvlistValue": "kvlist_value",
}


def _set(target: AnyValue, field: str, value: object, depth: int) -> None:
    if depth == DEEPEST and field in ("array_value", "kvlist_value"):
        message = "too deep for protobuf"
        raise ValueError(message)
    match field:
        case "array_value":
            target.array_value.SetInParent()
            for item in _items(_mapping(value), "values"):
                _value(target.array_value.values.add(), item, depth + 1)
        case "kvlist_value":
            target.kvlist_value.SetInParent()
            for item in _items(_mapping(value), "values"):
                added = target.kvlist_value.values.add(key=_text(item, "key"))
                _value(added.value, _get(item, "value"), depth + 1)
        case "bytes_value":
            target.bytes_value = base64.b64decode(str(value), validate=True)
        case "int_value":
            target.int_value = int(value) if isinstance(value, str) else value  # pyright: ignore[reportAttributeAccessIssue]
        case "double_value":
            target.double_value = float(value)  # pyright: ignore[reportArgumentType]
        case _:
            setattr(target, field, value)


def _get(given: Document, name: str) -> object:
    found = given.get(name)
    return given.get(_SNAKE.get(name, name)) if found is None else found


_SNAKE = {
    "resourceSpans": "resource_spans",
    "scopeSpans": "scope_spans",
    "traceId": "trace_id",
    "spanId": "span_id",
    "parentSpanId": "parent_span_id",
    "startTimeUnixNano": "start_time_unix_nano",
    "endTimeUnixNano": "end_time_unix_nano",
    "timeUnixNano": "time_unix_nano",
    "traceState": "trace_state",
    "droppedAttributesCount": "dropped_attributes_count",
    "droppedEventsCount": "dropped_events_count",
    "droppedLinksCount": "dropped_links_count",
    **_VALUE_FIELDS,
}


def _items(given: object, name: str) -> Iterable[Document]:
    found = _get(_mapping(given), name)
    return [_mapping(item) for item in found] if isinstance(found, list) else []


def _part(given: Document, name: str) -> Document:
    return _mapping(_get(given, name))


def _mapping(given: object) -> Document:
    return given if isinstance(given, Mapping) else {}


def _text(given: Document, name: str) -> str:
    found = _get(given, name)
    return found if isinstance(found, str) else "" if found is None else orjson.dumps(found).decode()


def _id(given: Document, name: str) -> bytes:
    try:
        return bytes.fromhex(_text(given, name))
    except ValueError:
        return b""


def _time(given: Document, name: str) -> int:
    try:
        found = int(_text(given, name) or 0)
    except ValueError:
        return 0
    return found if 0 <= found < 2**64 else 0


def _count(given: Document, name: str) -> int:
    found = _time(given, name)
    return found if found < 2**32 else 0


def _enum(names: Mapping[str, object], given: object) -> int:
    if isinstance(given, str) and given in names:
        return names[given].number  # pyright: ignore[reportAttributeAccessIssue]
    return int(given) if isinstance(given, int | str) and str(given).isdigit() and int(given) < 2**31 else 0
