"""Runs as a real Restate server has them: told by its spans, and by what it answers when it is asked."""

import json
import re
import time
from datetime import datetime
from pathlib import Path

import pytest

from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.sources.cursor import collect, read_cursor
from flywheel_assets.sources.restate import Restate as Poller
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.landed_batches import LANDED_BATCHES

pytestmark = pytest.mark.slow

# What each handler of the agent service does, by hand: the run's status and attempts, what Restate's own
# row is to say of it (status, result, failure), and the word that run gets for it.
DONE, FAILED = ("completed", "success", None), ("completed", "failure")
EXPECTED = {
    "ok": ("ok", 1, DONE, "success"),
    "flaky": ("ok", 3, DONE, "success"),
    "terminal": ("error", 1, (*FAILED, "[422] policy refused"), "failure"),
    # It answers in the very words that a killed invocation ends with.
    "conflict": ("error", 1, (*FAILED, "[409] killed"), "failure"),
    "gives_up": ("error", 3, (*FAILED, "[500] RuntimeError('always broken')"), "failure"),
    "pauses": ("open", 3, ("paused", None, None), "paused"),
    "waits": ("open", 1, ("suspended", None, None), "suspended"),
    "sleeps": ("open", 1, ("running", None, None), "running"),
    "cancelled": ("cancelled", 1, (*FAILED, "[409] cancelled"), "cancelled"),
    "killed": ("cancelled", 1, (*FAILED, "[409] killed"), "killed"),
    "parent": ("ok", 1, DONE, "success"),
    "agent": ("ok", 1, DONE, "success"),
}
HANDLERS = {"cancelled": "sleeps", "killed": "sleeps"}


def ms(row: dict, name: str) -> float:
    return datetime.fromisoformat(row[name]).timestamp() * 1000


def runs_of(places: Places) -> dict[str, dict]:
    rows = Lake(places.lake).read(AGENT_RUNS).to_pylist()
    assert len({row["run_id"] for row in rows}) == len(rows)
    return {row["run_id"]: row for row in rows}


def turn(places: Places) -> dict[str, dict]:
    done = turn_the_wheel(places, job="arrival")
    assert (done.failed, done.red) == ([], [])
    return runs_of(places)


def awaits(restate, until, name: str, *states: str) -> None:
    one = restate.sent[name]
    until(lambda: restate.invocations()[one]["status"] in states, f"{name} is {' or '.join(states)}")


@pytest.fixture(scope="module")
def until():
    def until(done, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
            time.sleep(0.1)

    return until


@pytest.fixture(scope="module")
def ran(restate, until):
    """Every handler was invoked, and is where it will stay; Restate was polled, and the wheel turned."""
    for name in EXPECTED:
        restate.send(HANDLERS.get(name, name), name)
    for name in ("cancelled", "killed"):
        awaits(restate, until, name, "running")
        action = name.removesuffix("led") if name == "cancelled" else "kill"
        restate.admin.patch(f"/invocations/{restate.sent[name]}/{action}").raise_for_status()
    for name, (_, _, (status, *_), _) in EXPECTED.items():
        awaits(restate, until, name, status)
    # Its spans come seconds later, in batches.
    ended = [one for one, row in restate.invocations().items() if row["status"] == "completed"]
    until(lambda: ended_in(restate.places.inbox).issuperset(ended), "the spans of what ended")
    assert collect(Poller(restate.admin), restate.places.inbox, restate.places.cursors).rows == len(
        restate.invocations()
    )
    return turn(restate.places), restate.invocations()


def ended_in(inbox: Path) -> set[str]:
    """Invocations whose last span has arrived."""
    found = b"".join(path.read_bytes() for path in inbox.rglob("otlp-*.binpb"))
    return {one.decode() for one in re.findall(rb"invocation-end .*?(inv_[A-Za-z0-9]{34})", found, re.DOTALL)}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_invocation_is_one_run_that_ended_as_the_server_says(restate, ran, name):
    runs, invocations = ran
    status, attempts, said, word = EXPECTED[name]
    row, run = invocations[restate.sent[name]], runs[restate.sent[name]]
    assert (row["status"], row.get("completion_result"), row.get("completion_failure")) == said
    assert (run["status"], run["runtime_status"], run["attempts"]) == (status, word, attempts)
    assert run["trace_id"] == row["trace_id"]
    assert run["skill"] == ("triage" if name == "agent" else row["target"])
    if row["status"] == "completed":
        # Its spans reach from the door to the last word, and so a little further than its row.
        assert run["duration_ns"] / 1e6 >= ms(row, "completed_at") - ms(row, "created_at") - 1
    else:
        assert run["duration_ns"] is None


def test_no_other_runs_are_there_than_invocations_that_nobody_waited_for(restate, ran):
    runs, invocations = ran
    children = {one: row for one, row in invocations.items() if row.get("invoked_by") == "service"}
    sent = {one for one, row in children.items() if row["trace_id"] != invocations[row["invoked_by_id"]]["trace_id"]}
    assert (len(children), len(sent)) == (2, 1)
    assert set(runs) == set(restate.sent.values()) | sent
    assert {runs[one]["status"] for one in sent} == {"ok"}


def test_the_model_call_and_the_decision_of_an_agent_are_in_its_invocation(restate, ran):
    run = ran[0][restate.sent["agent"]]
    assert (run["runtime"], run["model"], run["llm_calls"]) == ("restate", "provider/small", 1)
    assert (run["input_tokens"], run["output_tokens"], run["segment"]) == (12, 5, "default")
    answer = restate.ingress.get(f"/restate/invocation/{restate.sent['agent']}/output").raise_for_status()
    assert run["decision_id"] == answer.json()


def test_asking_alone_tells_the_same_of_every_invocation(restate, ran, tmp_path):
    places = Places(tmp_path / "data")
    collect(Poller(restate.admin, page_rows=5), places.inbox, places.cursors)
    alone, both = turn(places), ran[0]
    assert set(alone) == set(both)
    compared = ("status", "runtime_status", "trace_id", "runtime")
    assert {one: [run[name] for name in compared] for one, run in alone.items()} == {
        one: [run[name] for name in compared] for one, run in both.items()
    }
    for one, run in alone.items():
        row = ran[1][one]
        if row["status"] == "completed":
            lasted = ms(row, "completed_at") - ms(row, "created_at")
            assert run["duration_ns"] / 1e6 == pytest.approx(lasted, abs=1.01)


def test_what_goes_on_later_ends_the_same_run(restate, ran, until):
    again = collect(Poller(restate.admin), restate.places.inbox, restate.places.cursors)
    assert (again.rows, again.batches) == (0, 0)
    told = restate.rows(
        f"SELECT entry_json FROM sys_journal WHERE id = '{restate.sent['waits']}' AND entry_type = 'Notification: Run'"
    )
    result = json.loads(told[0]["entry_json"])["Notification"]["Completion"]["Run"]["result"]["Success"]
    awakeable = json.loads(bytes(result))
    restate.ingress.post(f"/restate/awakeables/{awakeable}/resolve", json="approved").raise_for_status()
    restate.admin.patch(f"/invocations/{restate.sent['pauses']}/resume").raise_for_status()
    for name in ("waits", "pauses"):
        awaits(restate, until, name, "completed")
    done = collect(Poller(restate.admin), restate.places.inbox, restate.places.cursors)
    assert (done.rows, done.batches) == (2, 1)
    runs = turn(restate.places)
    assert set(runs) == set(ran[0])
    for name in ("waits", "pauses"):
        assert (runs[restate.sent[name]]["status"], runs[restate.sent[name]]["runtime_status"]) == ("ok", "success")
    untouched = {one for one in runs if one not in {restate.sent["waits"], restate.sent["pauses"]}}
    assert {one: runs[one] for one in untouched} == {one: ran[0][one] for one in untouched}


def test_asked_batches_are_landed_like_all_others(restate, ran):
    batches = [row for row in Lake(restate.places.lake).read(LANDED_BATCHES).to_pylist() if row["source"] == "restate"]
    assert {(row["status"], row["signal"], row["format"]) for row in batches} == {("accepted", "traces", "json")}
    assert set(read_cursor(restate.places.cursors, "restate")) == {"modified_at", "told_at", "seen"}
    assert ran
