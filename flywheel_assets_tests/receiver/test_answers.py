"""Success in part, back-pressure with a delay, and evaluation events that come as logs: over both doors."""

import json
from contextlib import suppress

import grpc
import httpx
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
AT = 1_795_000_000_000_000_000
PROTOBUF, JSON = {"content-type": "application/x-protobuf"}, {"content-type": "application/json"}


def some_unplaceable() -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for trace_id, start in ((b"t" * 16, AT), (b"short", AT), (b"t" * 16, 0)):
        spans.add(trace_id=trace_id, span_id=b"s" * 8, start_time_unix_nano=start)
    return request


def as_json() -> bytes:
    spans = [{"traceId": "74" * 16, "spanId": "73" * 8, "startTimeUnixNano": str(AT)}, {"spanId": "73" * 8}]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def call(receiver, method: str, payload: bytes) -> bytes:
    with grpc.insecure_channel(f"{receiver.at.host}:{receiver.at.grpc_port}") as channel:
        return channel.unary_unary(method)(payload, timeout=10)


def test_spans_that_will_be_set_aside_are_told_and_the_batch_is_kept_whole(start) -> None:
    receiver = start()
    payload = some_unplaceable().SerializeToString()
    http = httpx.post(f"{receiver.at.http}/v1/traces", content=payload, headers=PROTOBUF)
    for answer in (http.content, call(receiver, TRACES, payload)):
        partial = ExportTraceServiceResponse.FromString(answer).partial_success
        assert partial.rejected_spans == 2
        assert "trace_id_length" in partial.error_message
        assert "time_missing" in partial.error_message
    assert http.status_code == 200
    assert receiver.stored() == [payload, payload]
    told = httpx.post(f"{receiver.at.http}/v1/traces", content=as_json(), headers=JSON).json()["partialSuccess"]
    assert told["rejectedSpans"] == "1"
    assert receiver.stored(".jsonl") == [as_json()]


def test_back_pressure_asks_for_a_delay_and_drops_nothing(start, request_of) -> None:
    receiver = start(backlog_bytes=100)
    payload = request_of(size=200)
    http = httpx.post(f"{receiver.at.http}/v1/traces", content=payload, headers=PROTOBUF)
    assert (http.status_code, http.headers["retry-after"]) == (429, "1")
    with pytest.raises(grpc.RpcError) as refused:
        call(receiver, TRACES, payload)
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    details = dict(refused.value.trailing_metadata())["grpc-status-details-bin"]
    assert retry_delay(details) == retry_delay(http.content) == 1
    assert not list(receiver.inbox.iterdir())
    assert call(receiver, TRACES, request_of(size=10)) == b""


def retry_delay(status: bytes) -> int | None:
    """Seconds of the RetryInfo in a google.rpc.Status, found without the definition of either."""
    for start in range(len(status)):
        with suppress(Exception):
            detail = Any.FromString(status[start:])
            if detail.type_url == "type.googleapis.com/google.rpc.RetryInfo":
                return Duration.FromString(detail.value[2:]).seconds
    return None


def test_a_failing_disk_is_unavailable_with_a_delay(start, request_of) -> None:
    receiver = start()
    receiver.inbox.rmdir()
    with pytest.raises(grpc.RpcError) as refused:
        call(receiver, TRACES, request_of())
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert retry_delay(dict(refused.value.trailing_metadata())["grpc-status-details-bin"]) == 5


def logs() -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "judge"
    records = resource.scope_logs.add().log_records
    judged = records.add(event_name="gen_ai.evaluation.result", time_unix_nano=AT, trace_id=b"t" * 16, span_id=b"s" * 8)
    judged.attributes.add(key="gen_ai.evaluation.name").value.string_value = "helpful"
    judged.attributes.add(key="gen_ai.evaluation.score.value").value.double_value = 0.5
    records.add(event_name="anything.else", time_unix_nano=AT).body.string_value = "text"
    return request


def logs_json() -> bytes:
    named = [{"key": "gen_ai.evaluation.name", "value": {"stringValue": "helpful"}}]
    scored = [{"key": "gen_ai.evaluation.score.value", "value": {"doubleValue": 0.5}}]
    record = {"timeUnixNano": str(AT), "traceId": "74" * 16, "spanId": "73" * 8, "attributes": named + scored}
    records = [record | {"eventName": "gen_ai.evaluation.result"}, {"body": {"stringValue": "text"}}]
    owner = {"attributes": [{"key": "service.name", "value": {"stringValue": "judge"}}]}
    return json.dumps({"resourceLogs": [{"resource": owner, "scopeLogs": [{"logRecords": records}]}]}).encode()


def rejected(answer: Message) -> int:
    return answer.partial_success.rejected_log_records  # pyright: ignore[reportAttributeAccessIssue]


def test_evaluation_events_that_come_as_logs_become_spans_that_carry_them(start) -> None:
    receiver = start()
    payload = logs().SerializeToString()
    http = httpx.post(f"{receiver.at.http}/v1/logs", content=payload, headers=PROTOBUF)
    assert http.status_code == 200
    for answer in (http.content, call(receiver, LOGS, payload)):
        assert rejected(ExportLogsServiceResponse.FromString(answer)) == 1
    told = httpx.post(f"{receiver.at.http}/v1/logs", content=logs_json(), headers=JSON).json()["partialSuccess"]
    assert told["rejectedLogRecords"] == "1"
    first, second, third = (json.loads(line) for line in receiver.stored(".jsonl"))
    assert first == second == third
    (span,) = first["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert span["links"] == [{"traceId": "74" * 16, "spanId": "73" * 8}]
    (event,) = span["events"]
    assert event["name"] == "gen_ai.evaluation.result"
    assert {"key": "gen_ai.evaluation.score.value", "value": {"doubleValue": 0.5}} in event["attributes"]


@pytest.mark.parametrize(
    ("content", "headers"),
    [(b"\xff\xff", PROTOBUF), (b'{"resourceSpans": []}', JSON), (b"{", JSON), (b"\xff", JSON), (b"[" * 100_000, JSON)],
)
def test_logs_that_are_none_are_refused(start, content: bytes, headers: dict[str, str]) -> None:
    receiver = start()
    assert httpx.post(f"{receiver.at.http}/v1/logs", content=content, headers=headers).status_code == 400
    assert not list(receiver.inbox.iterdir())


def test_logs_without_an_evaluation_are_not_kept_and_it_is_said(start) -> None:
    receiver = start()
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=AT).body.string_value = "private"
    answer = httpx.post(f"{receiver.at.http}/v1/logs", content=request.SerializeToString(), headers=PROTOBUF)
    assert rejected(ExportLogsServiceResponse.FromString(answer.content)) == 1
    assert not list(receiver.inbox.iterdir())
