"""OTLP over HTTP: what is taken, what is refused, and in which words."""

import gzip
import json

import httpx
import pytest
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json; charset=utf-8"}
EMPTY_JSON = b'{"resourceSpans":[]}'


@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "deflate", "zstd"])
def test_protobuf_is_spooled_as_it_was_before_its_content_encoding(start, request_of, encoding: str) -> None:
    receiver = start()
    payload = request_of(spans=3)
    pack = {"gzip": gzip.compress, "deflate": __import__("zlib").compress, "zstd": zstandard.compress}
    body = pack.get(encoding, bytes)(payload)
    headers = PROTOBUF | ({"content-encoding": encoding} if encoding else {})
    response = httpx.post(f"{receiver.at.http}/v1/traces", content=body, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-protobuf"
    assert ExportTraceServiceResponse.FromString(response.content) == ExportTraceServiceResponse()
    assert receiver.stored() == [payload]


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (EMPTY_JSON, EMPTY_JSON),
        (b'{"resourceSpans": [ ], "n": 12345678901234567890123.10 }', None),
        (
            b'{\n "resourceSpans": [],\r\n "n": 12345678901234567890123.10, "t": "a\\n b"\n}\n',
            b'{"resourceSpans":[],"n":12345678901234567890123.10,"t":"a\\n b"}',
        ),
    ],
)
def test_json_is_spooled_on_one_line_and_otherwise_as_it_came(start, body: bytes, kept: bytes | None) -> None:
    receiver = start()
    response = httpx.post(f"{receiver.at.http}/v1/traces", content=body, headers=JSON)
    assert (response.status_code, response.json()) == (200, {})
    assert receiver.stored(".jsonl") == [kept or body]


@pytest.mark.parametrize(
    ("headers", "body", "status", "word"),
    [
        (PROTOBUF, b"\xff\xff", 400, "OTLP trace export request"),
        (PROTOBUF, EMPTY_JSON, 400, "OTLP trace export request"),
        (PROTOBUF | {"content-encoding": "gzip"}, b"not gzip", 400, "content encoding"),
        (PROTOBUF | {"content-encoding": "gzip"}, gzip.compress(b"", mtime=0)[:-1], 400, "ends early"),
        (PROTOBUF | {"content-encoding": "zstd"}, b"not zstd", 400, "content encoding"),
        (PROTOBUF | {"content-encoding": "br"}, b"", 415, "gzip"),
        (JSON, b"{", 400, "not JSON"),
        (JSON, b'{"resourceLogs": []}', 400, "only traces"),
        ({"content-type": "text/plain"}, EMPTY_JSON, 415, "application/json"),
        ({}, EMPTY_JSON, 415, "application/json"),
        (PROTOBUF, b"\x0a" * 20_001, 413, "20000"),
        (PROTOBUF | {"content-encoding": "gzip"}, gzip.compress(bytes(50_000_000), mtime=0), 413, "20000"),
        (PROTOBUF | {"content-encoding": "gzip"}, gzip.compress(bytes(20_001), mtime=0), 413, "20000"),
        (PROTOBUF | {"content-encoding": "zstd"}, zstandard.compress(bytes(19_000_000)), 413, "20000"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_status_in_the_senders_encoding(
    start, headers, body, status, word
) -> None:
    receiver = start(max_body_bytes=20_000)
    response = httpx.post(f"{receiver.at.http}/v1/traces", content=body, headers=headers)
    assert response.status_code == status
    if headers.get("content-type") == PROTOBUF["content-type"]:
        # google.rpc.Status: field 1 the code, field 2 the message.
        assert response.content[:1] == b"\x08"
        assert word.encode() in response.content
    else:
        assert word in response.json()["message"]
    assert receiver.stored() == receiver.stored(".jsonl") == []


def test_a_body_without_a_stated_length_is_limited_too(start) -> None:
    receiver = start(max_body_bytes=20_000)
    response = httpx.post(f"{receiver.at.http}/v1/traces", content=(bytes(1000) for _ in range(100)), headers=PROTOBUF)
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer secret", 200),
        ("Bearer wrong", 401),
        ("Basic secret", 401),
        ("secret", 401),
        ("bearer  secret", 200),
        (None, 401),
        ("Bearer é", 401),
    ],
)
def test_a_token_is_asked_for_where_one_is_set(start, request_of, authorization: str | None, status: int) -> None:
    receiver = start(token="secret")
    headers = [(b"content-type", b"application/x-protobuf")]
    if authorization is not None:
        headers.append((b"authorization", authorization.encode("latin-1")))
    response = httpx.post(f"{receiver.at.http}/v1/traces", content=request_of(), headers=headers)
    assert response.status_code == status
    assert len(receiver.stored()) == (status == 200)
    assert httpx.post(f"{receiver.at.http}/v1/feedback", json=[], headers=headers[1:]).status_code != 200
    assert httpx.get(f"{receiver.at.http}/health").status_code == 200


def test_a_full_backlog_and_a_failing_disk_are_told_to_try_again(start, request_of) -> None:
    receiver = start(backlog_bytes=100)
    response = httpx.post(f"{receiver.at.http}/v1/traces", content=request_of(size=200), headers=PROTOBUF)
    assert (response.status_code, response.headers["retry-after"]) == (429, "1")
    receiver.inbox.rmdir()
    response = httpx.post(f"{receiver.at.http}/v1/traces", content=request_of(), headers=PROTOBUF)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert b"free space" in response.content
    health = httpx.get(f"{receiver.at.http}/health")
    assert (health.status_code, health.json()["status"]) == (503, "failing")
    receiver.inbox.mkdir()
    assert httpx.post(f"{receiver.at.http}/v1/traces", content=request_of(), headers=PROTOBUF).status_code == 200
    assert httpx.get(f"{receiver.at.http}/health").json()["status"] == "ok"


def test_too_many_requests_at_once_are_told_to_try_again(start, request_of) -> None:
    receiver = start(max_concurrent=1)
    host, port = receiver.at.host, receiver.at.http_port
    import socket

    with socket.create_connection((host, port)) as slow:
        slow.sendall(
            b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 9\r\n\r\n"
        )
        for _ in range(100):
            response = httpx.post(f"{receiver.at.http}/v1/traces", content=request_of(), headers=PROTOBUF)
            if response.status_code != 200:
                break
        assert (response.status_code, response.headers["retry-after"]) == (429, "1")


@pytest.mark.parametrize(("path", "word"), [("/v1/metrics", "only traces"), ("/v1/profiles", "only traces")])
def test_other_signals_are_refused_with_a_word_of_advice(start, path: str, word: str) -> None:
    response = httpx.post(f"{start().at.http}{path}", content=b"{}", headers=JSON)
    assert response.status_code == 404
    assert word in response.json()["message"]


GOOD = {"target_kind": "run", "target_id": "r", "name": "correctness", "value": 1, "tier": "human", "author_id": "ann"}


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (json.dumps(GOOD), 1),
        (json.dumps([GOOD, GOOD | {"observed_at": "2026-11-22T10:00:00Z"}]), 2),
        (json.dumps(GOOD) + "\n" + json.dumps(GOOD) + "\n", 2),
        (json.dumps(GOOD, indent=2), 1),
    ],
)
def test_feedback_is_checked_and_spooled_a_line_each(start, body: str, count: int) -> None:
    receiver = start()
    response = httpx.post(f"{receiver.at.http}/v1/feedback", content=body, headers=JSON)
    assert (response.status_code, response.json()) == (200, {"stored": count})
    lines = [json.loads(line) for line in receiver.stored(".feedback.jsonl")]
    assert [line["target_id"] for line in lines] == ["r"] * count
    assert all(line["observed_at"] for line in lines)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (json.dumps([GOOD, GOOD | {"value": 2}]), "[1] feedback: Value error, value is not on its scale"),
        ("[]", "no feedback"),
        ("", "no feedback"),
        ("[1]", "[0]"),
        ("nonsense", "JSON"),
        (json.dumps(GOOD | {"valu": 2}), "valu"),
    ],
)
def test_wrong_feedback_is_refused_whole_with_the_place_named(start, body: str, word: str) -> None:
    receiver = start()
    response = httpx.post(f"{receiver.at.http}/v1/feedback", content=body, headers=JSON)
    assert response.status_code == 400
    assert word in response.json()["message"]
    assert not list(receiver.inbox.iterdir())
