"""Every captured invocation and run is one row, as a person reads it in what the servers say; and stays it.

The tables are written by hand: names and outcomes from `sys_invocation.json` and `runs.json`, attempts and
lengths (in ms) from the app that ran, which fails three times, twice, or for good, or is stopped.
"""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flywheel_assets.lake.session import connection
from flywheel_assets.runs.fold import fold_runs
from flywheel_assets.sources.inngest_rows import spans_of
from flywheel_assets.sources.plain_spans import request
from flywheel_assets.spans.decode import decode_day

DAY = datetime(2026, 11, 22, tzinfo=UTC).date()

# invocation: function, outcome, attempts, length. A child that was waited for is in its caller's row.
RESTATE = {
    "inv_1cmzWKs7622k4tRIuONk6KFNgPedPGci82": ("SupportAgent/flaky", "ok", 4, 765),
    "inv_1gShvCjPmaU61F5hzRUVofpU3chfxosRVr": ("SupportAgent/slow", "cancelled", 1, 1157),
    "inv_13K90BYGZcIW6bbt3l7qPZzObDluhZuZR5": ("SupportAgent/always", "error", 5, 1837),
    "inv_129gV9js0DHz0aHqGkm4zEoKwJ1ZvCOwD0": ("SupportAgent/genai", "ok", 1, 14),
    "inv_1aPiYQuUz7mp5BeQ1yWWg3yEDQGjSvu14X": ("SupportAgent/slow", "cancelled", 1, 1172),
    "inv_16832igUZyr90XyzvOXYeoG9ybfBXWgfe0": ("SupportAgent/answer", "ok", 1, 76),
    "inv_1kzeDwuClpOF75YWqbB8v2HiSkVY9t56zw": ("SupportAgent/genai", "ok", 1, 13),
    "inv_1afVBj61w9dO0ymZTtjllAnatoZalGEUZu": ("SupportAgent/fails", "error", 2, 66),
}
CHILD_OF = {"inv_1l7kGs0yVvx26geRrMAu8b2nPl96OrAoKJ": "inv_16832igUZyr90XyzvOXYeoG9ybfBXWgfe0"}
# run: function, outcome, attempts; its length is the server's end less its queueing, where it is asked.
INNGEST = {
    "01M826998796MSB0T35SSMW0M0": ("agent-app-ok-agent", "ok", 1, 1934),
    "01M826998DG1H0BFS0S69GDH4S": ("agent-app-nonretry-agent", "error", 1, 353),
    "01M826998NXZDH0XAE59KKPYAZ": ("agent-app-flaky-agent", "ok", 3, 2635),
    "01M826998PQERJWP7HF66QY5DE": ("agent-app-failing-agent", "error", 2, 1639),
    "01M826998S8VCQ8GT23QXG3MVS": ("agent-app-wait-agent", "ok", 1, 2511),
}


def lines(*files):
    return [line for file in files for line in file.read_bytes().splitlines() if line.strip()]


def asked(folder) -> bytes:
    """What the poller writes of the captured answers."""
    listed = {
        edge["node"]["id"]: edge["node"]
        for edge in json.loads((folder / "runs.json").read_text())["data"]["runs"]["edges"]
    }
    spans = []
    for answer in json.loads((folder / "api_capture.json").read_text()).values():
        run = answer["gql"]["data"]["run"]
        told = listed[run["id"]] | {"trace": run["trace"]}
        spans += spans_of(told, answer["v2"]["data"]["rootSpan"], datetime(2026, 11, 22, 19, tzinfo=UTC))
    return request(spans, {}, {"name": "flywheel.inngest"})


def folded(payloads):
    batches = [SimpleNamespace(batch_id=f"b{n}", format="json", payload=body) for n, body in enumerate(payloads)]
    con = connection()
    con.register("raw_spans", decode_day(batches, DAY).rows.read_all())
    runs, run_spans = fold_runs(con, DAY)
    return {row["run_id"]: row for row in runs.to_pylist()}, run_spans


def told(run) -> tuple:
    return run["skill"], run["status"], run["attempts"], pytest.approx(run["duration_ns"] / 1e6, abs=1.5)


@pytest.fixture(scope="module")
def recorded(shared_data):
    captures = shared_data / "captures"
    restate = lines(captures / "restate" / "spans_run1.jsonl", captures / "restate" / "spans_run2.jsonl")
    inngest = lines(captures / "inngest" / "otlp_received.jsonl")
    return captures, restate, [*inngest, asked(captures / "inngest")]


def test_every_invocation_is_one_row_as_the_server_says(recorded):
    captures, restate, _ = recorded
    runs, run_spans = folded(restate)
    named = {row["id"] for row in json.loads((captures / "restate" / "sys_invocation.json").read_text())["rows"]}
    assert named == {*RESTATE, *CHILD_OF}
    assert {run_id: told(runs[run_id]) for run_id in RESTATE} == RESTATE
    assert not set(CHILD_OF) & set(runs)
    assert run_spans.column("run_id").null_count == 0


def test_every_inngest_run_is_one_row_as_the_server_says(recorded):
    _, _, inngest = recorded
    runs, _ = folded(inngest)
    assert {run_id: told(run) for run_id, run in runs.items()} == INNGEST


def test_the_app_and_the_server_together_count_no_model_call_twice(recorded):
    captures, _, inngest = recorded
    together, _ = folded(inngest)
    app, _ = folded(inngest[:-1])
    server, _ = folded([asked(captures / "inngest")])
    for counted in ("llm_calls", "input_tokens", "output_tokens", "model"):
        assert {one: run[counted] for one, run in together.items()} == {
            one: app.get(one, server[one])[counted] for one in together
        }, counted


def spans_one_by_one(payloads) -> list[dict]:
    """Every span with the resource and scope it came with."""
    found = []
    for body in payloads:
        for resource in json.loads(body)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                around = {key: value for key, value in scope.items() if key != "spans"}
                of = {key: value for key, value in resource.items() if key != "scopeSpans"}
                found += [{**of, "scopeSpans": [{**around, "spans": [span]}]} for span in scope["spans"]]
    return found


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_same_spans_split_shuffled_interleaved_and_sent_again_are_the_same_runs(recorded, data):
    _, restate, inngest = recorded
    expected, expected_spans = folded([*restate, *inngest])
    spans = spans_one_by_one([*restate, *inngest])
    again = data.draw(st.lists(st.sampled_from(range(len(spans))), max_size=60), label="sent again")
    order = data.draw(st.permutations([*range(len(spans)), *again]), label="order")
    size = data.draw(st.integers(1, len(order)), label="batch size")
    batches = [[spans[one] for one in order[start : start + size]] for start in range(0, len(order), size)]
    runs, run_spans = folded([json.dumps({"resourceSpans": batch}).encode() for batch in batches])
    assert runs == expected
    assert run_spans.equals(expected_spans)
