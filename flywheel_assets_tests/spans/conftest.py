"""How the span tests write requests and read rows."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime

import orjson
import pytest

from flywheel_assets.spans.decode import decode_day
from flywheel_assets.spans.rewrite import as_protobuf
from flywheel_assets.tables.raw_spans import RAW_SPANS

PROMOTED = RAW_SPANS.names[RAW_SPANS.names.index("dialect") : RAW_SPANS.names.index("attr_text")]
DERIVED = ("fresh_input_tokens", "plain_output_tokens")
DAY = date(2026, 9, 1)
START = int(datetime(2026, 9, 1, 12, tzinfo=UTC).timestamp()) * 10**9


@dataclass(frozen=True)
class Landed:
    """A landed batch."""

    batch_id: str
    format: str
    payload: bytes


def landed(payload: bytes, form: str) -> Landed:
    return Landed(hashlib.sha256(payload).hexdigest(), form, payload)


def value(plain) -> dict:
    if isinstance(plain, list):
        return {"arrayValue": {"values": [value(one) for one in plain]}}
    if isinstance(plain, dict):
        return {"kvlistValue": {"values": attributes(plain)}}
    scalars = {
        bool: {"boolValue": plain},
        int: {"intValue": str(plain)},
        float: {"doubleValue": plain},
        str: {"stringValue": plain},
    }
    return scalars.get(type(plain), {})


def attributes(plain: dict) -> list[dict]:
    return [{"key": key, "value": value(one)} for key, one in plain.items()]


def span(number: int = 1, plain: dict | None = None, **fields) -> dict:
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "work",
        "kind": 1,
        "startTimeUnixNano": str(START + number),
        "endTimeUnixNano": str(START + number + 1000),
        "attributes": attributes(plain or {}),
        "status": {},
    } | fields


def request(spans: list[dict], resource: dict | None = None) -> dict:
    scope = {"scope": {"name": "test", "version": "1"}, "spans": spans}
    carried = {"attributes": attributes(resource or {"service.name": "svc"})}
    return {"resourceSpans": [{"resource": carried, "scopeSpans": [scope]}]}


def as_batch(document: dict, form: str = "json") -> Landed:
    payload = orjson.dumps(document)
    return landed(as_protobuf(payload) if form == "protobuf" else payload, form)


class Otlp:
    """What tests write with, as a fixture: test modules cannot import this one."""

    day = DAY
    start = START
    span = staticmethod(span)
    request = staticmethod(request)
    value = staticmethod(value)
    attributes = staticmethod(attributes)
    batch = staticmethod(as_batch)
    landed = staticmethod(landed)
    decode = staticmethod(decode_day)

    def rows(self, *batches: Landed, day: date = DAY) -> list[dict]:
        """Decoded rows of the day, ordered by id."""
        found = decode_day(list(batches), day).rows.read_all().to_pylist()
        return sorted(found, key=lambda row: (row["trace_id"], row["span_id"]))

    def promoted(self, row: dict) -> dict:
        """What the dialects made of the row: its columns from `dialect` on that are not NULL, but for derived ones."""
        return {name: row[name] for name in PROMOTED if row[name] is not None and name not in DERIVED}


@pytest.fixture(scope="session")
def otlp() -> Otlp:
    return Otlp()
