"""Malformed input of every kind, at the door: a clear status or a row with a reason; nothing lost, nobody dead."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.sources.batches import read_batches
from flywheel_assets.sources.land import land
from flywheel_assets.spans.decode import decode_day
from flywheel_assets.tables.span_rejections import SPAN_REJECTIONS

NOW = datetime.now(UTC)
START = int((NOW - timedelta(days=1)).timestamp()) * 10**9
JSON, PROTOBUF = {"content-type": "application/json"}, {"content-type": "application/x-protobuf"}


def span(number: int, **fields) -> dict:
    told = {"traceId": f"{number:032x}", "spanId": f"{number:016x}", "name": "x", "startTimeUnixNano": str(START)}
    return told | fields


def traces(*spans: dict) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


def text(value: object) -> list[dict]:
    return [{"key": "k", "value": value}]


def nested(levels: int) -> dict:
    value: dict = {"stringValue": "deep"}
    for _ in range(levels):
        value = {"arrayValue": {"values": [value]}}
    return value


def nested_text(levels: int) -> bytes:
    """As JSON text: Python's own writer would not go so deep."""
    opened, closed = b'{"arrayValue":{"values":[' * levels, b"]}}" * levels
    attributes = b'[{"key":"k","value":' + opened + b'{"stringValue":"deep"}' + closed + b"}]"
    plain = traces(span(70))
    return plain.replace(b'"name": "x"', b'"name": "x", "attributes": ' + attributes)


def protobuf(**fields) -> bytes:
    request = ExportTraceServiceRequest()
    given = {"trace_id": b"p" * 16, "span_id": b"p" * 8, "name": "x", "start_time_unix_nano": START} | fields
    request.resource_spans.add().scope_spans.add().spans.add(**given)
    return request.SerializeToString()


def protobuf_nested(levels: int) -> bytes:
    """Written from the inside out: the library refuses to read what it can be made to write."""

    def message(field: int, inside: bytes) -> bytes:
        size, length = len(inside), b""
        while size > 127:
            length += bytes([size % 128 + 128])
            size //= 128
        return bytes([field * 8 + 2]) + length + bytes([size]) + inside

    value = message(1, b"deep")
    for _ in range(levels):
        value = message(5, message(1, value))
    attribute = message(9, message(1, b"k") + message(2, value))
    told = message(1, b"q" * 16) + message(2, b"q" * 8) + b"\x39" + START.to_bytes(8, "little") + attribute
    return message(1, message(2, message(2, told)))


FUTURE = str(int((NOW + timedelta(days=400)).timestamp()) * 10**9)
BIG = "x" * 10_000_000
# name: (body, headers, status, rows, reasons of spans set aside)
CASES: dict[str, tuple[bytes, dict, int, int, list[str]]] = {
    "truncated gzip": (gzip.compress(traces(span(1)))[:-5], JSON | {"content-encoding": "gzip"}, 400, 0, []),
    "gzip that is none": (traces(span(1)), JSON | {"content-encoding": "gzip"}, 400, 0, []),
    "wrong content type": (traces(span(1)), {"content-type": "text/html"}, 415, 0, []),
    "no content type": (traces(span(1)), {}, 415, 0, []),
    "JSON said to be protobuf": (traces(span(1)), PROTOBUF, 400, 0, []),
    "protobuf said to be JSON": (protobuf(), JSON, 400, 0, []),
    "invalid UTF-8 in JSON": (traces(span(1)).replace(b'"x"', b'"\xff"'), JSON, 400, 0, []),
    "invalid UTF-8 in protobuf": (protobuf(name="xx").replace(b"xx", b"\xff\xfe"), PROTOBUF, 400, 0, []),
    "half a document": (traces(span(1))[:-9], JSON, 400, 0, []),
    "half a message": (protobuf()[:-9], PROTOBUF, 400, 0, []),
    "a short trace id": (traces(span(2), span(3, traceId="ab")), JSON, 200, 1, ["trace_id_length"]),
    "a long span id": (traces(span(4, spanId="ab" * 9)), JSON, 200, 0, ["span_id_length"]),
    "ids that are no hex": (traces(span(5, spanId="z" * 16)), JSON, 200, 0, ["span_id_length"]),
    "ids of zeros": (traces(span(0)), JSON, 200, 0, ["zero_id"]),
    "short ids in protobuf": (protobuf(span_id=b"p"), PROTOBUF, 200, 0, ["span_id_length"]),
    "a time in the future": (traces(span(6, startTimeUnixNano=FUTURE)), JSON, 200, 0, ["time_out_of_range"]),
    "a time before 2000": (traces(span(7, startTimeUnixNano="900000000")), JSON, 200, 0, ["time_out_of_range"]),
    "no time": (traces(span(8, startTimeUnixNano="soon")), JSON, 200, 0, ["time_missing"]),
    "an attribute of 10 MB": (traces(span(9, attributes=text({"stringValue": BIG}))), JSON, 200, 1, []),
    "an end before the start": (traces(span(10, endTimeUnixNano="5")), JSON, 200, 1, []),
    "kinds and codes that nobody knows": (traces(span(11, kind=99, status={"code": "WELL"})), JSON, 200, 1, []),
    "a number beyond 64 bits": (traces(span(12, attributes=text({"intValue": "9" * 40}))), JSON, 200, 1, []),
    "a value of no kind": (traces(span(13, attributes=text({"moonValue": 1}))), JSON, 200, 1, []),
    "attributes that are none": (traces(span(14, attributes=[5, None, {"key": 1}])), JSON, 200, 1, []),
    "nested a little": (traces(span(15, attributes=text(nested(30)))), JSON, 200, 1, []),
    "nested deeply": (traces(span(16, attributes=text(nested(90)))), JSON, 200, 1, []),
    "nested beyond reason": (nested_text(5000), JSON, 400, 0, []),
    "nested a little in protobuf": (protobuf_nested(30), PROTOBUF, 200, 1, []),
    "nested beyond reason in protobuf": (protobuf_nested(500), PROTOBUF, 400, 0, []),
    "one id, two bodies": (traces(span(17), span(17, name="y")), JSON, 200, 1, []),
    "no spans": (b"{}", JSON, 200, 0, []),
    "a document that is none of ours": (b'{"resourceMetrics": []}', JSON, 400, 0, []),
    "a list": (b"[]", JSON, 400, 0, []),
    "nothing": (b"", JSON, 400, 0, []),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_answered_clearly_and_accounted_for(start: Callable, tmp_path: Path, case: str) -> None:
    body, headers, status, rows, reasons = CASES[case]
    receiver = start()
    answer = httpx.post(f"{receiver.at.http}/v1/traces", content=body, headers=headers, timeout=30)
    assert answer.status_code == status
    if status != 200:
        assert len(answer.content) > 10
        assert not list(receiver.inbox.iterdir())
    elif reasons and headers == JSON:
        assert answer.json()["partialSuccess"]["rejectedSpans"] == str(len(reasons))
    assert httpx.get(f"{receiver.at.http}/health").status_code == 200
    lake = Lake(str(tmp_path / "lake"))
    landed = land(lake, receiver.inbox, tmp_path / "landing", NOW)
    assert landed.rejected == 0
    counted: Counter[str] = Counter()
    for day in landed.days:
        decoded = decode_day(list(read_batches(lake, tmp_path / "landing", day)), day)
        kept = decoded.rows.read_all()
        assert kept.num_rows == decoded.counts.rows
        assert decoded.counts.unreadable == []
        counted.update(rows=decoded.counts.rows, duplicates=decoded.counts.duplicates)
    aside = [row["reason"] for row in lake.read(SPAN_REJECTIONS).to_pylist()]
    assert (counted["rows"], aside) == (rows, reasons)
    assert landed.spans == counted["rows"] + counted["duplicates"] + len(aside)
