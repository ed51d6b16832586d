"""Bytes that nobody meant: the decoder raises nothing, and accounts for every span that landing counted."""

import json
from datetime import UTC, datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from flywheel_assets.sources.scan import scan
from flywheel_assets.spans.rewrite import as_protobuf

NOW = datetime(2026, 9, 2, tzinfo=UTC)
START = int(datetime(2026, 9, 1, 23, 59, 59, tzinfo=UTC).timestamp()) * 10**9
VALUES = [
    {"stringValue": "text ü"},
    {"intValue": "12"},
    {"doubleValue": 0.5},
    {"boolValue": True},
    {"arrayValue": {"values": [{"stringValue": "stop"}, {"arrayValue": {"values": []}}]}},
    {"kvlistValue": {"values": [{"key": "k", "value": {"bytesValue": "aGk="}}]}},
    {},
]
KEYS = [
    "gen_ai.operation.name",
    "gen_ai.usage.input_tokens",
    "gen_ai.response.finish_reasons",
    "langfuse.observation.usage_details",
    "mlflow.spanType",
    "llm.input_messages.3.message.content",
    "own",
]


@st.composite
def requests(draw) -> dict:
    """Valid OTLP/JSON: a few spans around midnight, some with the same ids, with attributes of every kind."""
    spans = [
        {
            "traceId": f"{draw(st.integers(1, 2)):032x}",
            "spanId": f"{draw(st.integers(1, 3)):016x}",
            "name": draw(st.sampled_from(["chat", "", "invocation-start x"])),
            "kind": draw(st.integers(0, 9)),
            "startTimeUnixNano": str(START + draw(st.integers(0, 2)) * 10**9),
            "endTimeUnixNano": draw(st.sampled_from(["0", str(START), str(2**63 - 1)])),
            "attributes": [
                {"key": key, "value": draw(st.sampled_from(VALUES))} for key in draw(st.lists(st.sampled_from(KEYS)))
            ],
            "events": [{"name": "exception", "timeUnixNano": "5", "attributes": []}] * draw(st.integers(0, 1)),
            "status": {"code": draw(st.integers(0, 5))},
        }
        for _ in range(draw(st.integers(0, 4)))
    ]
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {}, "spans": spans}]}]}


@st.composite
def mutated(draw, form: str) -> bytes:
    """A valid request with bytes changed, left out, doubled or put in."""
    payload = json.dumps(draw(requests())).encode()
    data = bytearray(as_protobuf(payload) if form == "protobuf" else payload)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        what = draw(st.sampled_from(["change", "cut", "insert", "double", "end"]))
        length = draw(st.integers(1, 12))
        if what == "change" and data:
            data[at] = draw(st.integers(0, 255))
        elif what == "cut":
            del data[at : at + length]
        elif what == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=length))
        elif what == "double":
            data[at:at] = data[at : at + length]
        elif what == "end":
            del data[at:]
    return bytes(data)


def accounted(otlp, payload: bytes, form: str) -> None:
    (found,) = scan([payload], form, NOW)
    batch = otlp.landed(payload, form)
    kept = 0
    for day in found.days or (otlp.day,):
        decoded = otlp.decode([batch], day)
        decoded.rows.read_all()
        decoded.losses.table(day)
        counts = decoded.counts
        if found.error is not None:
            # Landing refuses it, so it never comes here; if it did, it would still do no harm.
            continue
        assert counts.unreadable == []
        assert counts.rows + counts.duplicates + counts.other_days + counts.set_aside == found.spans
        kept += counts.rows + counts.duplicates
    if found.error is None:
        assert kept == found.spans - len(found.set_aside)


@settings(max_examples=150, deadline=None)
@given(payload=mutated("json"))
@example(payload=b"")
@example(payload=b"{}")
@example(payload=b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":{"a":"\\u0000"}}]}]}]}')
def test_mutated_json_is_accounted_for(otlp, payload: bytes) -> None:
    accounted(otlp, payload, "json")


@settings(max_examples=150, deadline=None)
@given(payload=mutated("protobuf"))
@example(payload=b"")
def test_mutated_protobuf_is_accounted_for(otlp, payload: bytes) -> None:
    accounted(otlp, payload, "protobuf")


@settings(max_examples=100, deadline=None)
@given(payload=st.binary(max_size=200), form=st.sampled_from(["json", "protobuf"]))
def test_any_bytes_are_accounted_for(otlp, payload: bytes, form: str) -> None:
    accounted(otlp, payload, form)
