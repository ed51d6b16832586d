"""What the index says of a batch: spans, days, and spans that cannot be placed. No attribute is read.

Protobuf batches are parsed whole (so that what is accepted here decodes later) and JSON batches are
validated whole; of the result only ids and start times are looked at.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic import ValidationError

from flywheel_assets.sources.json_request import InvalidJsonError, parse_json_request, starts
from flywheel_assets.tables.documents.feedback import PostedFeedback

EARLIEST = date(2000, 1, 1)
_EPOCH = date(1970, 1, 1)
_DAY_NS = 86_400 * 10**9
_EARLIEST_NS = (EARLIEST - _EPOCH).days * _DAY_NS
_TRACE_ZERO, _SPAN_ZERO = bytes(16), bytes(8)


@dataclass(frozen=True, slots=True)
class SetAside:
    """One span that cannot be placed; `position` counts the batch's spans from 0."""

    position: int
    reason: str
    detail: str
    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What is in one batch, or in `error` why it cannot be parsed and what to do."""

    spans: int = 0
    days: tuple[date, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    error: str | None = None


class _Ids(NamedTuple):
    trace_id: bytes
    span_id: bytes
    start: int
    shown: tuple[str, str]


def scan(payloads: Sequence[bytes | memoryview], format: str, landed_at: datetime) -> list[Scan]:  # noqa: A002 - the column's name
    """One `Scan` for each payload; `format` is 'protobuf' or 'json'.

    A span is set aside when its ids have a wrong length or are zero, or when its start lies before
    2000 or on a day later than the one after `landed_at`: whole days, so that a set-aside time is
    never on one of the batch's days.
    """
    latest = (landed_at.astimezone(UTC).date() + timedelta(days=2) - _EPOCH).days * _DAY_NS
    one = _scan_protobuf if format == "protobuf" else _scan_json
    return [one(payload, latest) for payload in payloads]


def scan_feedback(lines: Sequence[bytes | memoryview], landed_at: datetime) -> list[Scan]:
    """One `Scan` for each line of posted feedback; its day is the one it names, else that of `observed_at`."""
    latest = landed_at.astimezone(UTC).date() + timedelta(days=1)
    return [_scan_feedback(line, latest) for line in lines]


def _scan_feedback(line: bytes | memoryview, latest: date) -> Scan:
    try:
        posted = PostedFeedback.model_validate_json(bytes(line))
    except ValidationError as error:
        return Scan(spans=1, error=explain(error))
    for name, day in (("observed_at", posted.observed_at.astimezone(UTC).date()), ("day", posted.about)):
        if not EARLIEST <= day <= latest:
            return Scan(spans=1, error=f"{name} {day} is not between {EARLIEST} and {latest}")
    return Scan(spans=1, days=(posted.about,))


def explain(error: ValidationError) -> str:
    """A validation error in one line, without the offending values."""
    return "; ".join(
        f"{'.'.join(str(part) for part in found['loc']) or 'feedback'}: {found['msg']}" for found in error.errors()
    )


def _scan_protobuf(payload: bytes | memoryview, latest: int) -> Scan:
    try:
        # The stubs say bytes; any buffer is taken, and not copied.
        request = ExportTraceServiceRequest.FromString(payload)  # pyright: ignore[reportArgumentType]
    except DecodeError:
        return Scan(error="not an OTLP trace export request in protobuf; export traces as OTLP protobuf or JSON")
    spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    trace_ids = [span.trace_id for span in spans]
    span_ids = [span.span_id for span in spans]
    starts = [span.start_time_unix_nano for span in spans]
    if _all_good(trace_ids, span_ids, starts, latest):
        return Scan(len(spans), _days(starts))
    found = zip(trace_ids, span_ids, starts, strict=True)
    return _scan_each((_Ids(t, s, start, (t.hex(), s.hex())) for t, s, start in found), latest)


def _scan_json(payload: bytes | memoryview, latest: int) -> Scan:
    try:
        spans = parse_json_request(bytes(payload))
    except InvalidJsonError as error:
        return Scan(error=str(error))
    trace_ids = [span.trace_id or "" for span in spans]
    span_ids = [span.span_id or "" for span in spans]
    begun = starts(spans)
    if _all_good(_unhex_all(trace_ids, 32), _unhex_all(span_ids, 16), begun, latest):
        return Scan(len(spans), _days(begun))
    found = zip(trace_ids, span_ids, begun, strict=True)
    return _scan_each((_Ids(_unhex(t), _unhex(s), start, (t, s)) for t, s, start in found), latest)


def _unhex_all(ids: list[str], digits: int) -> list[bytes]:
    """The ids' bytes; none at all where one of them is not so many hex digits."""
    joined = _unhex("".join(ids)) if set(map(len, ids)) == {digits} else b""
    size = digits // 2
    if len(joined) != size * len(ids):
        return []
    return [joined[start : start + size] for start in range(0, len(joined), size)]


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _all_good(trace_ids: list[bytes], span_ids: list[bytes], starts: list[int], latest: int) -> bool:
    return not starts or (
        set(map(len, trace_ids)) == {16}
        and set(map(len, span_ids)) == {8}
        and min(starts) >= _EARLIEST_NS
        and max(starts) < latest
        and _TRACE_ZERO not in trace_ids
        and _SPAN_ZERO not in span_ids
    )


def _scan_each(spans: Iterable[_Ids], latest: int) -> Scan:
    set_aside: list[SetAside] = []
    starts: list[int] = []
    count = 0
    for position, span in enumerate(spans):
        count += 1
        fault = _fault(span, latest)
        if fault is None:
            starts.append(span.start)
        else:
            set_aside.append(SetAside(position, *fault, *span.shown))
    return Scan(count, _days(starts), tuple(set_aside))


def _fault(span: _Ids, latest: int) -> tuple[str, str] | None:
    if len(span.trace_id) != 16:
        return "trace_id_length", f"{len(span.shown[0])} characters; 32 hex digits (16 bytes) are needed"
    if len(span.span_id) != 8:
        return "span_id_length", f"{len(span.shown[1])} characters; 16 hex digits (8 bytes) are needed"
    if span.trace_id == _TRACE_ZERO or span.span_id == _SPAN_ZERO:
        return "zero_id", "all zeros means 'no id'; the exporter must set both ids"
    if span.start <= 0:
        return "time_missing", "no start time; startTimeUnixNano is nanoseconds since 1970"
    if not _EARLIEST_NS <= span.start < latest:
        allowed = f"{EARLIEST} to {_EPOCH + timedelta(days=latest // _DAY_NS - 1)}"
        return "time_out_of_range", f"start {span.start} ns; {allowed} is accepted"
    return None


def _days(starts: Sequence[int]) -> tuple[date, ...]:
    if not starts:
        return ()
    first, last = min(starts) // _DAY_NS, max(starts) // _DAY_NS
    numbers = [first] if first == last else sorted({start // _DAY_NS for start in starts})
    return tuple(_EPOCH + timedelta(days=number) for number in numbers)
