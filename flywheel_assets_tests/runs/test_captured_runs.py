"""What real Restate and Inngest servers emitted, through the decoder; expected is what the servers themselves say."""

import json
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from flywheel_assets.lake.session import connection
from flywheel_assets.runs.fold import fold_runs
from flywheel_assets.spans.decode import decode_day

DAY = datetime(2026, 11, 22, tzinfo=UTC).date()


def folded(payloads):
    batches = [SimpleNamespace(batch_id=f"b{n}", format="json", payload=body) for n, body in enumerate(payloads)]
    con = connection()
    con.register("raw_spans", decode_day(batches, DAY).rows.read_all())
    return fold_runs(con, DAY)


def lines(*files):
    return [line for file in files for line in file.read_bytes().splitlines() if line.strip()]


def spans_of(payloads):
    for body in payloads:
        for resource in json.loads(body)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    attributes = {a["key"]: next(iter(a["value"].values()), None) for a in span.get("attributes", [])}
                    yield span | {"attributes": attributes}


@pytest.fixture(scope="module")
def restate(shared_data):
    folder = shared_data / "captures" / "restate"
    payloads = lines(folder / "spans_run1.jsonl", folder / "spans_run2.jsonl")
    told = json.loads((folder / "sys_invocation.json").read_text())["rows"]
    return payloads, told, folded(payloads)


def test_restate_runs_end_as_the_server_says(restate):
    _, told, (runs, _) = restate
    ended = {row["run_id"]: row["status"] for row in runs.to_pylist()}
    expected = {
        row["id"]: "ok"
        if row["completion_result"] == "success"
        else "cancelled"
        if row["completion_failure"] in ("[409] killed", "[409] cancelled")
        else "error"
        for row in told
        # `answer` calls `lookup` in its attempt: a child invocation is part of its caller's run.
        if row["target"] != "SupportAgent/lookup"
    }
    assert {run_id: ended[run_id] for run_id in expected} == expected
    assert not {row["id"] for row in told if row["target"] == "SupportAgent/lookup"} & set(ended)


def test_restate_attempts_and_durations_are_those_of_a_plain_count(restate):
    payloads, _, (runs, _) = restate
    attempts, times = Counter(), {}
    for span in spans_of(payloads):
        invocation = span["attributes"].get("restate.invocation.id")
        attempts[invocation] += span["name"].startswith("invocation-attempt")
        if invocation:
            start, end = times.get(invocation, (2**63, 0))
            times[invocation] = min(start, int(span["startTimeUnixNano"])), max(end, int(span["endTimeUnixNano"]))
    assert runs.num_rows == 17
    for row in runs.to_pylist():
        start, end = times[row["run_id"]]
        assert (row["attempts"], row["duration_ns"]) == (attempts[row["run_id"]], end - start), row["run_id"]


def test_restate_runs_hold_the_model_calls_nested_in_them(restate):
    _, _, (runs, run_spans) = restate
    calls = {row["run_id"]: row["llm_calls"] for row in runs.to_pylist() if row["skill"] == "SupportAgent/genai"}
    assert list(calls.values()) == [1, 1]
    assert run_spans.num_rows == 92
    assert run_spans.column("run_id").null_count == 0


@pytest.fixture(scope="module")
def inngest(shared_data):
    folder = shared_data / "captures" / "inngest"
    told = {
        edge["node"]["id"]: edge["node"]
        for edge in json.loads((folder / "runs.json").read_text())["data"]["runs"]["edges"]
    }
    return folder, told


STATUS = {"COMPLETED": "ok", "FAILED": "error"}
# It throws outside any step, which the app's own spans do not show.
UNSEEN = "agent-app-nonretry-agent"


def test_inngest_runs_as_the_app_alone_tells_them(inngest):
    folder, told = inngest
    runs, run_spans = folded(lines(folder / "otlp_received.jsonl"))
    found = {row["run_id"]: (row["status"], row["attempts"], row["llm_calls"]) for row in runs.to_pylist()}
    calls, attempts = Counter(), Counter()
    spans = list(spans_of(lines(folder / "otlp_received.jsonl")))
    for span in spans:
        run_id = span["attributes"].get("sdk.run.id")
        calls[run_id] += span["name"].startswith("chat")
        attempts[run_id] = max(attempts[run_id], 1 + int(span["attributes"].get("inngest.step.attempt", 0)))
    assert run_spans.num_rows == len(spans)
    assert found == {
        run_id: ("ok" if run["function"]["slug"] == UNSEEN else STATUS[run["status"]], attempts[run_id], calls[run_id])
        for run_id, run in told.items()
    }


def server_request(rows):
    """Rows of the server's span table as an export request: what its own exporter would send."""

    def attribute(key, value):
        kind = "boolValue" if isinstance(value, bool) else "intValue" if isinstance(value, int) else "stringValue"
        text = value if isinstance(value, str | bool) else str(value) if isinstance(value, int) else json.dumps(value)
        return {"key": key, "value": {kind: text}}

    def nanos(text):
        return str(int(datetime.fromisoformat(text).timestamp() * 1_000_000) * 1000)

    spans = [
        {
            "traceId": row["trace_id"],
            "spanId": row["span_id"],
            "parentSpanId": row["parent_span_id"],
            "name": row["name"],
            "startTimeUnixNano": nanos(row["start_time"]),
            "endTimeUnixNano": nanos(row["end_time"]),
            "attributes": [attribute(key, value) for key, value in row["attributes"].items()],
        }
        for row in rows
    ]
    return json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": spans}]}]}).encode()


@pytest.mark.parametrize("both", [False, True], ids=["the server alone", "server and app"])
def test_inngest_runs_as_the_server_tells_them(inngest, both):
    folder, told = inngest
    rows = json.loads((folder / "spans_table_rows.json").read_text())
    payloads = [server_request(rows)] + (lines(folder / "otlp_received.jsonl") if both else [])
    runs, run_spans = folded(payloads)
    found = {row["run_id"]: row["status"] for row in runs.to_pylist()}
    # The child agent was invoked by a step of another run, and is part of that.
    expected = {
        run_id: STATUS[run["status"]]
        for run_id, run in told.items()
        if run["function"]["slug"] != "agent-app-child-agent"
    }
    assert found == expected
    calls = Counter(row["run_id"] for row in rows if row["attributes"].get("gen_ai.operation.name") == "chat")
    assert {row["run_id"]: row["llm_calls"] for row in runs.to_pylist() if row["llm_calls"]} == calls
    assert run_spans.num_rows == sum(1 for body in payloads for _ in spans_of([body]))
