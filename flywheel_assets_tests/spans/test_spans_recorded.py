"""Recorded telemetry, decoded and compared with a walk of the same documents by nothing but `json`."""

import gzip
import json
from collections import Counter
from datetime import UTC, date, datetime

import pytest

SCALARS = {"stringValue": str, "intValue": int, "doubleValue": float, "boolValue": bool}
STATUSES = {0: "unset", 1: "ok", 2: "error", "STATUS_CODE_OK": "ok", "STATUS_CODE_ERROR": "error"}
KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"]


def texts(folder, patterns):
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
            yield from text.splitlines() if path.suffix == ".jsonl" else [text]


def plain(value):
    (kind, given), *_ = value.items()
    if kind == "arrayValue":
        return [plain(one) for one in given.get("values", [])]
    if kind == "kvlistValue":
        return {one["key"]: plain(one["value"]) for one in given.get("values", [])}
    return SCALARS[kind](given)


def plain_map(attributes):
    return {one["key"]: plain(one["value"]) for one in attributes if not one["key"].startswith("process.command")}


def as_json(given):
    return json.dumps(given, sort_keys=True)


def walked(documents):
    """{(trace, span): what the row must say}, by a plain walk."""
    found = {}
    for document in documents:
        for resource in document["resourceSpans"]:
            for scoped in resource["scopeSpans"]:
                for span in scoped["spans"]:
                    found[span["traceId"], span["spanId"]] = expected(span, resource["resource"], scoped)
    return found


def expected(span, resource, scoped):
    start, end = int(span["startTimeUnixNano"]), int(span.get("endTimeUnixNano", 0))
    kind = span.get("kind", 0)
    return {
        "parent": span.get("parentSpanId") or None,
        "name": span["name"],
        "kind": kind.removeprefix("SPAN_KIND_").lower() if isinstance(kind, str) else KINDS[kind],
        "status": STATUSES[span.get("status", {}).get("code", 0)],
        "message": span.get("status", {}).get("message") or None,
        "start": start,
        "end": end or None,
        "scope": scoped.get("scope", {}).get("name") or None,
        "resource": as_json(plain_map(resource.get("attributes", []))),
        "attributes": as_json(plain_map(span.get("attributes", []))),
        "events": as_json(
            [[int(e["timeUnixNano"]), e["name"], plain_map(e.get("attributes", []))] for e in span.get("events", [])]
        ),
        "links": as_json([[one["traceId"], one["spanId"]] for one in span.get("links", [])]),
    }


def said(row):
    """The same of a row."""
    scalars = (pair for name in ("attr_text", "attr_int", "attr_double", "attr_bool") for pair in row[name])
    attributes = dict(scalars) | {key: json.loads(text) for key, text in row["attr_json"]}
    events = [[e["time_unix_nano"], e["name"], json.loads(e["attributes_json"])] for e in row["events"]]
    return {
        "parent": row["parent_span_id"],
        "name": row["name"],
        "kind": row["kind"],
        "status": row["status"],
        "message": row["status_message"],
        "start": row["start_unix_nano"],
        "end": None if row["duration_ns"] is None else row["start_unix_nano"] + row["duration_ns"],
        "scope": row["scope_name"],
        "resource": as_json(json.loads(row["resource_json"])),
        "attributes": as_json(attributes),
        "events": as_json(events),
        "links": as_json([[one["trace_id"], one["span_id"]] for one in row["links"]]),
    }


RECORDED = {
    "trail": ("trail/otlp", ["*.json.gz"]),
    "restate": ("captures/restate", ["spans_run*.jsonl", "*attempts*.json"]),
    "inngest": ("captures/inngest", ["otlp_received.jsonl", "app_*.json"]),
}


@pytest.fixture(params=RECORDED)
def recorded(request, shared_data):
    """The name of a recording and its payloads."""
    folder, patterns = RECORDED[request.param]
    return request.param, list(texts(shared_data / folder, patterns))


def decoded(otlp, payloads, form):
    batches = [otlp.landed(payload.encode(), "json") for payload in payloads]
    if form == "protobuf":
        batches = [otlp.batch(json.loads(payload), "protobuf") for payload in payloads]
    days = {
        datetime.fromtimestamp(int(span["startTimeUnixNano"]) // 10**9, UTC).date()
        for payload in payloads
        for resource in json.loads(payload)["resourceSpans"]
        for scoped in resource["scopeSpans"]
        for span in scoped["spans"]
    }
    return [row for day in sorted(days) for row in otlp.decode(batches, day).rows.read_all().to_pylist()]


@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_nothing_of_recorded_spans_is_lost(otlp, recorded, form):
    _, payloads = recorded
    expected = walked(json.loads(payload) for payload in payloads)
    rows = decoded(otlp, payloads, form)
    assert len(rows) == len(expected)
    found = {(row["trace_id"], row["span_id"]): said(row) for row in rows}
    # Compared one by one, so that a difference names its span and field and shows no content.
    different = [
        (key, field) for key in expected for field, value in expected[key].items() if found[key][field] != value
    ]
    assert different == []
    assert all(row["start_time"].date() == row["day"] for row in rows)


def test_what_the_recordings_say_of_models_and_runtimes(otlp, shared_data):
    """Token counts and operations, counted from the documents themselves."""
    for name, (folder, patterns) in RECORDED.items():
        payloads = list(texts(shared_data / folder, patterns))
        rows = decoded(otlp, payloads, "json")
        spans = walked(json.loads(payload) for payload in payloads).values()
        carried = [json.loads(span["attributes"]) for span in spans]
        for column, keys in (
            ("input_tokens", ("gen_ai.usage.input_tokens", "llm.token_count.prompt")),
            ("output_tokens", ("gen_ai.usage.output_tokens", "llm.token_count.completion")),
        ):
            counted = [int(one[key]) for one in carried for key in keys if key in one]
            assert sum(row[column] or 0 for row in rows) == sum(counted), (name, column)
            assert sum(row[column] is not None for row in rows) == len(counted), (name, column)
        assert sum(row["operation"] == "llm" for row in rows) == sum(
            one.get("gen_ai.operation.name") == "chat" or one.get("openinference.span.kind") == "LLM" for one in carried
        )
        ids = {one[key] for one in carried for key in ("restate.invocation.id", "sdk.run.id") if key in one}
        assert {row["invocation_id"] for row in rows} - {None} == ids


def test_restate_spans_tell_invocations_from_attempts(otlp, shared_data):
    rows = decoded(otlp, list(texts(shared_data / "captures/restate", ["spans_run*.jsonl"])), "json")
    found = Counter((row["name"].split()[0], row["operation"]) for row in rows if row["dialect"] == "restate")
    assert set(found) == {
        ("ingress", "invocation"),
        ("invocation-start", "invocation"),
        ("invocation-attempt", "attempt"),
        ("invocation-end", "invocation"),
    }
    failed = [row for row in rows if row["runtime_status"] == "failure"]
    assert failed
    assert all(row["error_type"] for row in failed)


def test_inngest_attempts_can_be_joined(otlp, shared_data):
    rows = decoded(otlp, list(texts(shared_data / "captures/inngest", ["otlp_received.jsonl"])), "json")
    calls = [row for row in rows if row["operation"] == "llm"]
    assert calls
    assert all(row["invocation_id"] and row["step_id"] and row["attempt"] is not None for row in calls)
    assert {row["error_type"] for row in calls if row["status"] == "error"} == {"429"}
    assert all(row["day"] >= date(2026, 11, 1) for row in rows)


def test_every_recorded_span_of_vercels_sdk_is_understood(otlp, shared_data):
    recorded = json.loads((shared_data / "framework_traces/openinference/spans-by-operation.json").read_text())
    spans = [
        otlp.span(number, one["attributes"], name=one["name"])
        for number, one in enumerate((one for ones in recorded.values() for one in ones), start=1)
    ]
    rows = otlp.rows(otlp.batch(otlp.request(spans)))
    assert len(rows) == len(spans) > 0
    assert {row["dialect"] for row in rows} == {"vercel_ai"}
    assert {row["operation"] for row in rows} <= {"agent", "llm", "tool", "chain", "embedding"}
    assert all(row["request_model"] for row in rows if row["operation"] == "llm")
    assert all(row["input_tokens"] for row in rows if row["operation"] == "llm")
