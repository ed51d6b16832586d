"""What is found in a batch without decoding it."""

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from flywheel_assets.sources.scan import Scan, scan, scan_feedback

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY_NS = 86_400 * 10**9
TODAY = (date(2026, 11, 22) - date(1970, 1, 1)).days * DAY_NS
TRACE, SPAN = b"\x01" * 16, b"\x02" * 8


def as_protobuf(spans: list[tuple[bytes, bytes, int]]) -> bytes:
    request = ExportTraceServiceRequest()
    for trace_id, span_id, start in spans:
        # One scope per span: positions count through them.
        scope = request.resource_spans.add().scope_spans.add()
        scope.spans.add(trace_id=trace_id, span_id=span_id, start_time_unix_nano=start)
    return request.SerializeToString()


def as_json(spans: list[tuple[bytes, bytes, int]], *, number: bool = False) -> bytes:
    listed = [
        {"traceId": trace.hex(), "spanId": span.hex(), "startTimeUnixNano": start if number else str(start)}
        for trace, span, start in spans
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [one]}]} for one in listed]}).encode()


@pytest.mark.parametrize(
    ("span", "reason"),
    [
        ((TRACE, SPAN, TODAY), None),
        ((TRACE, SPAN, TODAY + 2 * DAY_NS - 1), None),
        ((TRACE, SPAN, TODAY + 2 * DAY_NS), "time_out_of_range"),
        ((TRACE, SPAN, 2**63), "time_out_of_range"),
        ((TRACE, SPAN, (date(2000, 1, 1) - date(1970, 1, 1)).days * DAY_NS), None),
        ((TRACE, SPAN, (date(2000, 1, 1) - date(1970, 1, 1)).days * DAY_NS - 1), "time_out_of_range"),
        ((TRACE, SPAN, TODAY // 1000), "time_out_of_range"),
        ((TRACE, SPAN, 0), "time_missing"),
        ((TRACE[:15], SPAN, TODAY), "trace_id_length"),
        ((b"", SPAN, TODAY), "trace_id_length"),
        ((TRACE, SPAN + b"x", TODAY), "span_id_length"),
        ((bytes(16), SPAN, TODAY), "zero_id"),
        ((TRACE, bytes(8), TODAY), "zero_id"),
    ],
)
def test_a_span_that_cannot_be_placed_is_set_aside_with_its_position(
    span: tuple[bytes, bytes, int], reason: str | None
) -> None:
    good = (TRACE, SPAN, TODAY)
    spans = [good, span, good]
    for payload, form in (
        (as_protobuf(spans), "protobuf"),
        (as_json(spans), "json"),
        (as_json(spans, number=True), "json"),
    ):
        found = scan([payload], form, NOW)[0]
        assert found.error is None
        assert found.spans == 3
        assert [(aside.position, aside.reason) for aside in found.set_aside] == ([(1, reason)] if reason else [])
        assert date(2026, 11, 22) in found.days


@pytest.mark.parametrize(
    ("form", "payload", "expected"),
    [
        ("protobuf", b"", Scan()),
        ("json", b"{}", Scan()),
        ("json", b'{"resourceSpans": null}', Scan()),
        ("json", b'{"resourceSpans": [{"scopeSpans": [{}, {"spans": null}]}, {}]}', Scan()),
    ],
)
def test_an_empty_batch_is_accepted(form: str, payload: bytes, expected: Scan) -> None:
    assert scan([payload], form, NOW) == [expected]


@pytest.mark.parametrize(
    ("form", "payload", "word"),
    [
        ("protobuf", b"\xff\xff", "protobuf"),
        ("protobuf", as_protobuf([(TRACE, SPAN, TODAY)])[:-1], "protobuf"),
        ("protobuf", b'{"resourceSpans": []}', "protobuf"),
        ("json", b"", "not JSON"),
        ("json", b'{"resourceSpans": [}', "not JSON"),
        ("json", b'{"resourceSpans": []} {}', "not JSON"),
        ("json", b'{"resourceSpans": 1}', "export request"),
        ("json", b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 7}]}]}]}', "traceId"),
        ("json", b'{"resourceMetrics": []}', "only traces"),
        ("json", b'{"resource_spans": []}', "resourceSpans"),
        ("json", b'{"resourceSpans": [], "x": "\xff"}', "UTF-8"),
        ("json", b'{"x":' * 100_000, "nested too deeply"),
    ],
)
def test_an_unparsable_batch_says_why_and_the_others_are_kept(form: str, payload: bytes, word: str) -> None:
    good = as_protobuf([(TRACE, SPAN, TODAY)]) if form == "protobuf" else as_json([(TRACE, SPAN, TODAY)])
    first, bad, last = scan([good, payload, good], form, NOW)
    assert word in (bad.error or "")
    assert (first.spans, last.spans) == (1, 1)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_scanned_or_refused(data: bytes) -> None:
    for form in ("protobuf", "json"):
        assert len(scan([data], form, NOW)) == 1
    assert scan_feedback([data], NOW)[0].error


_SPANS = st.tuples(
    st.one_of(st.just(TRACE), st.binary(max_size=17)),
    st.one_of(st.just(SPAN), st.binary(max_size=9)),
    st.one_of(st.just(TODAY), st.integers(0, 2**64 - 1), st.integers(TODAY - 9 * DAY_NS, TODAY + 9 * DAY_NS)),
)


@given(spans=st.lists(_SPANS, max_size=6))
def test_protobuf_and_json_are_judged_alike_and_every_span_is_counted(spans: list[tuple[bytes, bytes, int]]) -> None:
    one, other = scan([as_protobuf(spans)], "protobuf", NOW)[0], scan([as_json(spans)], "json", NOW)[0]
    assert one.spans == other.spans == len(spans)
    assert one.days == other.days
    assert [(a.position, a.reason, a.trace_id) for a in one.set_aside] == [
        (a.position, a.reason, a.trace_id) for a in other.set_aside
    ]
    assert bool(one.days) == (len(one.set_aside) < len(spans))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, None),
        ({"value": None, "comment": "good"}, None),
        ({"value": True}, None),
        ({"target_kind": "span", "target_id": "ab" * 16 + ":" + "cd" * 8}, None),
        ({"target_kind": "span", "target_id": "ab"}, "hex"),
        ({"value": 1.5}, "value"),
        ({"value": None}, "at least one"),
        ({"tier": "gossip"}, "tier"),
        ({"target_kind": "planet"}, "target_kind"),
        ({"observed_at": "2026-11-22T10:00:00"}, "timezone"),
        ({"observed_at": "1999-11-22T10:00:00Z"}, "1999"),
        ({"observed_at": "2027-11-22T10:00:00Z"}, "2027"),
        ({"score": 1}, "score"),
        ({"name": ""}, "name"),
    ],
)
def test_feedback_is_accepted_or_refused_with_the_field_named(change: dict[str, object], word: str | None) -> None:
    line = {
        "target_kind": "run",
        "target_id": "r1",
        "name": "correctness",
        "value": 1,
        "tier": "human",
        "author_id": "ann",
        "observed_at": "2026-11-22T10:00:00+01:00",
    }
    found = scan_feedback([json.dumps(line | change).encode()], NOW)[0]
    if word is None:
        assert found == Scan(spans=1, days=(date(2026, 11, 22),))
    else:
        assert word in (found.error or "")
