"""Writes the benchmark's telemetry as the OpenTelemetry Collector's file exporter does.

    python flywheel_assets_tests/benchmarks/generate.py 200000 --days 7 --out folder --form protobuf

`protobuf` gives `.binpb` files (a four-byte big-endian length before each export request), `json`
gives `.jsonl` files (one request a line). The same arguments give the same bytes.
"""

import argparse
import struct
import sys
from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path

import orjson

sys.path.insert(0, str(Path(__file__).parent))

from workload import FIRST_DAY, SERVICES, Span, Value, requests

REQUESTS_PER_FILE = 40


def write(  # noqa: PLR0913, PLR0917 - what a generated folder depends on
    spans: int, days: int, out: Path, form: str, seed: int = 7, first: date = FIRST_DAY
) -> int:
    """Write the files and return how many spans are in them."""
    out.mkdir(parents=True, exist_ok=True)
    ending, encode = (".binpb", framed) if form == "protobuf" else (".jsonl", line)
    written, number, pending = 0, 0, list[bytes]()
    for batch in requests(spans, days, seed, first):
        written += len(batch)
        pending.append(encode(batch))
        if len(pending) == REQUESTS_PER_FILE:
            (out / f"traces-{number:05d}{ending}").write_bytes(b"".join(pending))
            number, pending = number + 1, []
    if pending:
        (out / f"traces-{number:05d}{ending}").write_bytes(b"".join(pending))
    return written


def by_service(batch: list[Span]) -> Iterator[tuple[dict[str, Value], list[Span]]]:
    """The resource attributes of each service in the batch, and its spans."""
    ordered = sorted(batch, key=lambda span: span.service)
    for service, spans in groupby(ordered, key=lambda span: span.service):
        resource: dict[str, Value] = {
            "service.name": SERVICES[service],
            "service.version": "1.4.2",
            "deployment.environment.name": "production",
            "telemetry.sdk.language": "python",
        }
        yield resource, list(spans)


def line(batch: list[Span]) -> bytes:
    """The request as one line of OTLP/JSON."""
    groups = [
        {
            "resource": {"attributes": [json_attribute(*pair) for pair in resource.items()]},
            "scopeSpans": [{"scope": {"name": "agent", "version": "1.0"}, "spans": [json_span(s) for s in spans]}],
        }
        for resource, spans in by_service(batch)
    ]
    return orjson.dumps({"resourceSpans": groups}) + b"\n"


def json_span(span: Span) -> dict[str, object]:
    """A span in OTLP/JSON: hex ids, numbers of 64 bits as text."""
    return {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent.hex(),
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start),
        "endTimeUnixNano": str(span.end),
        "attributes": [json_attribute(*pair) for pair in span.attributes.items()],
        "events": [
            {"timeUnixNano": str(at), "name": name, "attributes": [json_attribute(*pair) for pair in values.items()]}
            for at, name, values in span.events
        ],
        "status": {"code": span.status, "message": span.message} if span.status else {},
    }


def json_attribute(key: str, value: Value) -> dict[str, object]:
    """One attribute with its type."""
    return {"key": key, "value": json_value(value)}


def json_value(value: Value) -> dict[str, object]:
    """OTLP/JSON's AnyValue."""
    match value:
        case str():
            return {"stringValue": value}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"arrayValue": {"values": [json_value(one) for one in value]}}


def framed(batch: list[Span]) -> bytes:
    """The request in protobuf's wire format, after its length."""
    groups: list[bytes] = []
    for resource, spans in by_service(batch):
        scope = field(1, field(1, b"agent") + field(2, b"1.0"))
        body = b"".join([field(2, wire_span(span)) for span in spans])
        groups.append(field(1, field(1, wire_attributes(1, resource)) + field(2, scope + body)))
    request = b"".join(groups)
    return struct.pack(">I", len(request)) + request


def wire_span(span: Span) -> bytes:
    """OTLP's Span."""
    events = [
        field(11, b"\x09" + struct.pack("<Q", at) + field(2, name.encode()) + wire_attributes(3, values))
        for at, name, values in span.events
    ]
    status = (field(2, span.message.encode()) if span.message else b"") + b"\x18" + varint(span.status)
    return b"".join(
        [
            field(1, span.trace_id),
            field(2, span.span_id),
            field(4, span.parent) if span.parent else b"",
            field(5, span.name.encode()),
            b"\x30" + varint(span.kind),
            b"\x39" + struct.pack("<Q", span.start) + b"\x41" + struct.pack("<Q", span.end),
            wire_attributes(9, span.attributes),
            *events,
            field(15, status if span.status else b""),
        ]
    )


def wire_attributes(number: int, attributes: dict[str, Value]) -> bytes:
    """OTLP's repeated KeyValue under a field number."""
    return b"".join([field(number, wire_key(key) + wire_value(value)) for key, value in attributes.items()])


@cache
def wire_key(key: str) -> bytes:
    """A KeyValue's key; there are few, so each is encoded once."""
    return field(1, key.encode())


def wire_value(value: Value) -> bytes:
    """A KeyValue's value."""
    return field(2, any_value(value))


def any_value(value: Value) -> bytes:
    """OTLP's AnyValue."""
    if isinstance(value, str):
        return field(1, value.encode())
    if isinstance(value, bool):
        return b"\x10" + varint(int(value))
    if isinstance(value, int):
        return b"\x18" + varint(value)
    if isinstance(value, float):
        return b"\x21" + struct.pack("<d", value)
    return field(5, b"".join([field(1, any_value(one)) for one in value]))


def field(number: int, body: bytes) -> bytes:
    """A length-delimited field; numbers below 16 take one byte."""
    length = len(body)
    return SHORT[number << 3 | 2] + (SHORT[length] if length < len(SHORT) else varint(length)) + body


def varint(value: int) -> bytes:
    """Protobuf's variable-length whole number, here never negative."""
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


SHORT = [varint(value) for value in range(16_384)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spans", type=int)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--form", choices=("protobuf", "json"), default="protobuf")
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    print(write(chosen.spans, chosen.days, chosen.out, chosen.form, chosen.seed))
