"""OTLP log records that are evaluation results → spans that carry them.

GenAI events travel as logs; `gen_ai.evaluation.result` is the one that says how a run went. It gets a
span of its own with the event on it and a link to the span that it judges, so that it is read as an
evaluation span of any other sender is. Other log records are not kept here.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from flywheel_assets.sources.plain_spans import Plain, PlainEvent, PlainSpan, hex_id, mapping, nanoseconds, request

EVALUATION = "gen_ai.evaluation.result"
_SCALARS = {"stringValue": str, "boolValue": bool, "intValue": int, "doubleValue": float}


class InvalidLogsError(Exception):
    """Why a payload is no logs export request."""


@dataclass(frozen=True, slots=True)
class Evaluations:
    """`request` is an OTLP/JSON export request of traces with `taken` records; `others` are in none."""

    request: bytes
    taken: int
    others: int


def evaluations(payload: bytes, format: str) -> Evaluations:  # noqa: A002 - as in scan
    """The evaluation results of a logs export request, 'protobuf' or 'json'. Raises InvalidLogsError."""
    groups: list[object] = []
    taken = others = 0
    for resource, scope, records in (_of_protobuf if format == "protobuf" else _of_json)(payload):
        spans = [span for record in records if (span := _span(record)) is not None]
        others += len(records) - len(spans)
        taken += len(spans)
        if spans:
            groups += msgspec.json.decode(request(spans, resource, scope))["resourceSpans"]
    return Evaluations(msgspec.json.encode({"resourceSpans": groups}) if groups else b"", taken, others)


_Group = tuple[Plain, Plain, list[Plain]]


def _of_protobuf(payload: bytes) -> Iterator[_Group]:
    try:
        parsed = ExportLogsServiceRequest.FromString(payload)
    except DecodeError as error:
        raise InvalidLogsError("the body is not an ExportLogsServiceRequest in protobuf") from error
    for resource in parsed.resource_logs:
        owner = {item.key: _any(item.value) for item in resource.resource.attributes}
        for scoped in resource.scope_logs:
            records: list[Plain] = [
                {
                    "event": record.event_name,
                    "at": record.time_unix_nano or record.observed_time_unix_nano,
                    "trace": record.trace_id.hex(),
                    "span": record.span_id.hex(),
                    "attributes": {item.key: _any(item.value) for item in record.attributes},
                }
                for record in scoped.log_records
            ]
            yield owner, {"name": scoped.scope.name, "version": scoped.scope.version}, records


def _any(value: AnyValue) -> object:
    match value.WhichOneof("value"):
        case "array_value":
            return [_any(item) for item in value.array_value.values]
        case "kvlist_value":
            return {item.key: _any(item.value) for item in value.kvlist_value.values}
        case "bytes_value":
            return value.bytes_value.hex()
        case None:
            return None
        case kind:
            return getattr(value, kind)


def _of_json(payload: bytes) -> Iterator[_Group]:
    try:
        parsed = mapping(msgspec.json.decode(payload))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidLogsError(f"not JSON: {error}") from error
    if "resourceLogs" not in parsed and parsed:
        raise InvalidLogsError("no resourceLogs: send each export request whole, as OTLP/JSON")
    for resource in _items(parsed, "resourceLogs"):
        owner = _plain_map(mapping(resource.get("resource")))
        for scoped in _items(resource, "scopeLogs"):
            records: list[Plain] = [
                {
                    "event": record.get("eventName"),
                    "at": nanoseconds(record.get("timeUnixNano")) or nanoseconds(record.get("observedTimeUnixNano")),
                    "trace": record.get("traceId"),
                    "span": record.get("spanId"),
                    "attributes": _plain_map(record),
                }
                for record in _items(scoped, "logRecords")
            ]
            yield owner, mapping(scoped.get("scope")), records


def _items(given: Plain, name: str) -> list[Plain]:
    found = given.get(name)
    return [mapping(one) for one in found] if isinstance(found, list) else []


def _plain_map(given: Plain) -> Plain:
    return {str(item.get("key")): _plain(mapping(item.get("value"))) for item in _items(given, "attributes")}


def _plain(value: Plain) -> object:
    for name, kind in _SCALARS.items():
        if name in value:
            try:
                return kind(value[name])  # pyright: ignore[reportArgumentType]
            except (TypeError, ValueError):
                return str(value[name])
    if "arrayValue" in value:
        return [_plain(one) for one in _items(mapping(value["arrayValue"]), "values")]
    held = mapping(value.get("kvlistValue"))
    return {str(item.get("key")): _plain(mapping(item.get("value"))) for item in _items(held, "values")} or None


def _span(record: Plain) -> PlainSpan | None:
    attributes, at = mapping(record["attributes"]), record["at"]
    event = record["event"] or attributes.get("event.name")
    if event != EVALUATION or not isinstance(at, int) or not at:
        return None
    told = msgspec.json.encode([record["trace"], record["span"], at, sorted(attributes.items(), key=str)])
    own = hashlib.sha256(told).hexdigest()
    trace, judged = hex_id(record["trace"], 32), hex_id(record["span"], 16)
    # Without a trace it can still name the response or the target that it judges.
    return PlainSpan(
        trace_id=trace or own[:32],
        span_id=own[32:48],
        name=EVALUATION,
        start=at,
        end=at,
        attributes={"gen_ai.evaluation.name": str(attributes.get("gen_ai.evaluation.name") or "unnamed")},
        events=[PlainEvent(EVALUATION, at, attributes)],
        links=[(trace, judged)] if trace and judged else [],
    )


def is_logs(given: object) -> bool:
    """Whether it is an OTLP/JSON logs export request."""
    return isinstance(given, Mapping) and isinstance(given.get("resourceLogs"), list)
