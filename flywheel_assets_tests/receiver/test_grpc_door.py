"""OTLP over gRPC: what is taken and what is refused."""

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def export(receiver, payload: bytes, **options):
    compression = options.pop("compression", None)
    with grpc.insecure_channel(f"{receiver.at.host}:{receiver.at.grpc_port}", compression=compression) as channel:
        return channel.unary_unary(METHOD)(payload, timeout=10, **options)


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_a_batch_is_spooled_as_it_was_before_compression(start, request_of, compression) -> None:
    receiver = start()
    payload = request_of(spans=3, size=500)
    assert export(receiver, payload, compression=compression) == b""
    assert receiver.stored() == [payload]


def test_an_empty_batch_is_taken_and_leaves_nothing(start) -> None:
    receiver = start()
    assert export(receiver, b"") == b""
    assert not list(receiver.inbox.iterdir())


@pytest.mark.parametrize(
    ("payload", "options", "code"),
    [
        (b"\xff\xff", {}, grpc.StatusCode.INVALID_ARGUMENT),
        (b"\x0a" * 20_001, {}, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (bytes(10_000_000), {"compression": grpc.Compression.Gzip}, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (bytes(20_001), {"compression": grpc.Compression.Gzip}, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_what_cannot_be_taken_is_refused(start, payload: bytes, options: dict, code: grpc.StatusCode) -> None:
    receiver = start(max_body_bytes=20_000)
    with pytest.raises(grpc.RpcError) as refused:
        export(receiver, payload, **options)
    assert refused.value.code() == code
    assert not list(receiver.inbox.iterdir())


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ((("authorization", "Bearer secret"),), None),
        ((("authorization", "Bearer wrong"),), grpc.StatusCode.UNAUTHENTICATED),
        ((), grpc.StatusCode.UNAUTHENTICATED),
    ],
)
def test_a_token_is_asked_for_where_one_is_set(start, request_of, metadata, code) -> None:
    receiver = start(token="secret")
    if code is None:
        export(receiver, request_of(), metadata=metadata)
        assert len(receiver.stored()) == 1
    else:
        with pytest.raises(grpc.RpcError) as refused:
            export(receiver, request_of(), metadata=metadata)
        assert refused.value.code() == code
        assert receiver.stored() == []


def test_a_failing_disk_is_unavailable_which_exporters_retry(start, request_of) -> None:
    receiver = start()
    receiver.inbox.rmdir()
    with pytest.raises(grpc.RpcError) as refused:
        export(receiver, request_of())
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert "free space" in refused.value.details()


def test_the_generated_stub_understands_the_answer(start) -> None:
    receiver = start()
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    with grpc.insecure_channel(f"{receiver.at.host}:{receiver.at.grpc_port}") as channel:
        answer = TraceServiceStub(channel).Export(ExportTraceServiceRequest())
    assert answer.partial_success.rejected_spans == 0
