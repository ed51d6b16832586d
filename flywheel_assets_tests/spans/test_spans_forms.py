"""OTLP's two forms, and the many ways in which emitters write the JSON one, give the same rows."""

import json

import orjson
import pytest

DEEP = {
    "text": 'quote " back\\slash\nline \u0001 ünïcode 😀',
    "empty": "",
    "whole": -(2**63),
    "large": 2**63 - 1,
    "real": 0.1,
    "round": 1.0,
    "yes": True,
    "no": False,
    "texts": ["a", 'b"', "ü"],
    "mixed": ["a", 1, 1.5, True],
    "none": [],
}
DEEPER = DEEP | {"map": {"a": 1, "b": ["x", {"c": False}]}, "arrays": [[1], [2, [3]]], "nothing": None}
EVENTS = [{"timeUnixNano": "5", "name": "exception", "attributes": []}, {"timeUnixNano": "6", "name": "note"}]


KEPT = {
    "traceState": "vendor=1",
    "flags": 257,
    "droppedAttributesCount": 2,
    "droppedEventsCount": 3,
    "droppedLinksCount": 4,
}


def events(otlp, plain):
    return [{**event, "attributes": otlp.attributes(plain)} for event in EVENTS]


def links(otlp, plain):
    return [{"traceId": "AB" * 16, "spanId": "cd" * 8, "attributes": otlp.attributes(plain)}]


def document(otlp, plain):
    spans = [
        otlp.span(
            1, plain, events=events(otlp, plain), links=links(otlp, plain), parentSpanId="00000000000000Ff", **KEPT
        ),
        otlp.span(2, {}, kind=3, status={"code": 2, "message": "no"}, endTimeUnixNano="0", parentSpanId=""),
        otlp.span(3, plain, kind=5, status={"code": 1}),
    ]
    given = otlp.request(spans, {"service.name": "svc", **plain})
    given["resourceSpans"][0]["scopeSpans"][0]["scope"]["attributes"] = otlp.attributes(plain)
    return given


def without_batch(rows):
    return [{name: value for name, value in row.items() if name != "batch_id"} for row in rows]


@pytest.mark.parametrize("plain", [{}, DEEP, DEEPER], ids=["bare", "flat", "nested"])
def test_both_forms_give_the_same_rows(otlp, plain):
    given = document(otlp, plain)
    as_json, as_protobuf = (without_batch(otlp.rows(otlp.batch(given, form))) for form in ("json", "protobuf"))
    assert as_json == as_protobuf
    assert len(as_json) == 3


def test_every_value_is_kept_with_its_type(otlp):
    row = otlp.rows(otlp.batch(document(otlp, DEEPER)))[0]
    texts = {key: one for key, one in DEEPER.items() if isinstance(one, str)}
    assert dict(row["attr_text"]) == texts
    assert dict(row["attr_bool"]) == {"yes": True, "no": False}
    assert dict(row["attr_int"]) == {"whole": -(2**63), "large": 2**63 - 1}
    assert dict(row["attr_double"]) == {"real": 0.1, "round": 1.0}
    deep = {key: DEEPER[key] for key in ("texts", "mixed", "none", "map", "arrays", "nothing")}
    assert {key: orjson.loads(one) for key, one in row["attr_json"]} == deep
    assert [orjson.loads(event["attributes_json"]) for event in row["events"]] == [DEEPER, DEEPER]
    assert orjson.loads(row["links"][0]["attributes_json"]) == DEEPER
    assert orjson.loads(row["resource_json"]) == {"service.name": "svc", **DEEPER}
    assert orjson.loads(row["scope_json"]) == DEEPER


def test_the_fixed_columns(otlp):
    first, second, third = otlp.rows(otlp.batch(document(otlp, {})))
    assert (first["parent_span_id"], second["parent_span_id"]) == ("00000000000000ff", None)
    assert [row["kind"] for row in (first, second, third)] == ["internal", "client", "consumer"]
    assert [row["status"] for row in (first, second, third)] == ["unset", "error", "ok"]
    assert [row["status_message"] for row in (first, second, third)] == [None, "no", None]
    assert [row["duration_ns"] for row in (first, second, third)] == [1000, None, 1000]
    assert first["start_unix_nano"] == otlp.start + 1
    assert first["start_time"].isoformat() == "2026-09-01T12:00:00+00:00"
    assert first["links"] == [{"trace_id": "ab" * 16, "span_id": "cd" * 8, "attributes_json": "{}"}]
    assert [(event["time_unix_nano"], event["name"]) for event in first["events"]] == [(5, "exception"), (6, "note")]
    assert (first["service_name"], first["scope_name"], first["scope_version"]) == ("svc", "test", "1")
    kept = ("trace_state", "flags", "dropped_attributes", "dropped_events", "dropped_links", "scope_json")
    assert [first[name] for name in kept] == ["vendor=1", 257, 2, 3, 4, None]
    assert [second[name] for name in kept] == [None, 0, 0, 0, 0, None]


def numbers_bare(payload: bytes) -> bytes:
    """64-bit numbers without quotes, as OTLP's JavaScript exporter writes attributes."""
    given = orjson.loads(payload)
    return orjson.dumps(_walk(given, lambda key, one: int(one) if key in {"intValue", *TIMES} else one))


TIMES = ("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano")
KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
CODES = ["UNSET", "OK", "ERROR"]


def enums_named(payload: bytes) -> bytes:
    """Enums by name, as protobuf's own JSON printers write them."""

    def named(key, one):
        if key == "kind":
            return f"SPAN_KIND_{KINDS[one]}"
        return f"STATUS_CODE_{CODES[one]}" if key == "code" else one

    return orjson.dumps(_walk(orjson.loads(payload), named))


def snake_case(payload: bytes) -> bytes:
    return orjson.dumps(_rename(orjson.loads(payload)))


def pretty(payload: bytes) -> bytes:
    return orjson.dumps(orjson.loads(payload), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def unknown_fields(payload: bytes) -> bytes:
    return payload.replace(b'{"traceId"', b'{"notes":"a=b","weight":257,"new":{"deep":[1]},"traceId"')


def nulls(payload: bytes) -> bytes:
    """Absent values written out, as some serialisers do."""
    return payload.replace(b'"status":{}', b'"status":null,"traceState":null,"flags":null')


def one_quoted(payload: bytes) -> bytes:
    """A single number written unlike the others."""
    return payload.replace(b'{"intValue":"9223372036854775807"}', b'{"intValue":9223372036854775807}', 1)


def upper_case(payload: bytes) -> bytes:
    return payload.replace(b'"spanId":"000000000000000', b'"spanId":"000000000000000').replace(b'"cdcd', b'"CDcd')


def _walk(given, change):
    if isinstance(given, dict):
        return {
            key: _walk(one, change) if isinstance(one, dict | list) else change(key, one) for key, one in given.items()
        }
    return [_walk(one, change) for one in given]


def _rename(given):
    if isinstance(given, dict):
        return {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): _rename(one) for key, one in given.items()}
    return [_rename(one) for one in given] if isinstance(given, list) else given


WRITERS = [numbers_bare, enums_named, snake_case, pretty, unknown_fields, nulls, one_quoted, upper_case]


@pytest.mark.parametrize("plain", [{}, DEEP, DEEPER], ids=["bare", "flat", "nested"])
@pytest.mark.parametrize("written", WRITERS)
def test_however_it_is_written_the_rows_are_the_same(otlp, written, plain):
    usual = otlp.batch(document(otlp, plain))
    other = otlp.landed(written(usual.payload), "json")
    assert without_batch(otlp.rows(other)) == without_batch(otlp.rows(usual))


def test_batches_of_every_writing_in_one_day(otlp):
    """What one batch needs does not change how the others are read."""
    batches, expected = [], []
    for number, written in enumerate(WRITERS):
        spans = [otlp.span(100 * number + place, DEEPER if place % 2 else DEEP) for place in range(1, 4)]
        usual = otlp.batch(otlp.request(spans))
        expected += otlp.rows(usual)
        batches.append(otlp.landed(written(usual.payload), "json"))
    assert without_batch(otlp.rows(*batches)) == without_batch(expected)


@pytest.mark.parametrize(
    ("value", "column", "expected"),
    [
        ({"intValue": "twelve"}, "attr_text", "twelve"),
        ({"intValue": "99999999999999999999"}, "attr_text", "99999999999999999999"),
        ({"intValue": 1.5}, "attr_text", "1.5"),
        ({"doubleValue": "NaN"}, "attr_double", "nan"),
        ({"doubleValue": "-Infinity"}, "attr_double", float("-inf")),
        ({"doubleValue": 3}, "attr_double", 3.0),
        ({"boolValue": "yes"}, "attr_text", "yes"),
        ({"stringValue": 7}, "attr_text", "7"),
        ({"bytesValue": "aGk="}, "attr_json", '"aGk="'),
        ({"bytesValue": "not base64"}, "attr_json", '"not base64"'),
        ({}, "attr_json", "null"),
        (None, "attr_json", "null"),
        ({"futureValue": 1}, "attr_json", "null"),
        ({"arrayValue": {}}, "attr_json", "[]"),
        ({"arrayValue": {"values": [{}]}}, "attr_json", "[null]"),
        ({"arrayValue": {"values": [{"bytesValue": "aGk="}]}}, "attr_json", '["aGk="]'),
        ({"arrayValue": {"values": [{"doubleValue": "NaN"}]}}, "attr_json", '["NaN"]'),
        ({"arrayValue": {"values": [{"intValue": "x"}]}}, "attr_json", '["x"]'),
        ({"arrayValue": {"values": "odd"}}, "attr_json", "[]"),
        ({"kvlistValue": {"values": [{"key": "a"}]}}, "attr_json", '{"a":null}'),
        ({"kvlistValue": {}}, "attr_json", "{}"),
    ],
)
def test_malformed_values_are_kept_and_spoil_nothing_beside_them(otlp, value, column, expected):
    odd = otlp.span(1, {"before": "b"})
    odd["attributes"] += [{"key": "odd", "value": value}, {"key": "after", "value": {"intValue": "3"}}]
    first, second = otlp.rows(otlp.batch(otlp.request([odd, otlp.span(2, {"fine": 1})])))
    found = dict(first[column])["odd"]
    assert (str(found) if expected == "nan" else found) == expected
    assert (dict(first["attr_text"])["before"], dict(first["attr_int"])["after"]) == ("b", 3)
    assert dict(second["attr_int"]) == {"fine": 1}


def test_values_nested_beyond_what_protobuf_reads_are_kept_as_text(otlp):
    value = {"stringValue": "core"}
    for _ in range(90):
        value = {"arrayValue": {"values": [value]}}
    span = otlp.span(1)
    span["attributes"] = [{"key": "deep", "value": value}]
    (row,) = otlp.rows(otlp.landed(json.dumps(otlp.request([span])).encode(), "json"))
    assert "core" in dict(row["attr_json"])["deep"]


def test_the_last_of_equal_keys_is_kept(otlp):
    span = otlp.span(1, {"a": "x"})
    span["attributes"] = [*span["attributes"], *otlp.attributes({"b": "y"}), *otlp.attributes({"a": "z"})]
    for form in ("json", "protobuf"):
        (row,) = otlp.rows(otlp.batch(otlp.request([span]), form))
        assert row["attr_text"] == [("b", "y"), ("a", "z")]


def test_command_lines_are_left_out(otlp):
    private = {"process.command": "run --key s3cret", "process.command_args": ["--key", "s3cret"], "process.pid": 1}
    (row,) = otlp.rows(otlp.batch(otlp.request([otlp.span(1, private)], {"service.name": "svc", **private})))
    assert "s3cret" not in str(row)
    assert dict(row["attr_int"]) == {"process.pid": 1}


@pytest.mark.parametrize(("form", "payload"), [("json", b"{"), ("json", b"\xff"), ("protobuf", b"\x0a\x05abc")])
def test_a_payload_that_cannot_be_read_costs_only_itself(otlp, form, payload):
    good = [otlp.batch(otlp.request([otlp.span(number)]), form) for number in range(1, 6)]
    decoded = otlp.decode([*good[:3], otlp.landed(payload, form), *good[3:]], otlp.day)
    assert decoded.rows.read_all().num_rows == 5
    assert [batch for batch, _ in decoded.counts.unreadable] == [otlp.landed(payload, form).batch_id]


@pytest.mark.parametrize("form", ["json", "protobuf"])
@pytest.mark.parametrize(
    "given", [{}, {"resourceSpans": []}, {"resourceSpans": [{}]}, {"resourceSpans": [{"scopeSpans": [{}]}]}]
)
def test_requests_without_spans_have_no_rows(otlp, given, form):
    assert otlp.rows(otlp.batch(given, form)) == []
