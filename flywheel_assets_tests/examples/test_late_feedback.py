"""Feedback that comes days later makes the days stale that it speaks of, and no other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from flywheel_assets.examples.label import label
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.rebuild import rebuild_days
from flywheel_assets.lake.stale import concerns, stale, stale_days
from flywheel_assets.runs.fold import fold_runs
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.statements import LABEL_SETTINGS
from flywheel_assets.tables.steps import FOLD_RUNS, LABEL, Step

DAYS = 9
COUNTED = dict.fromkeys(("flags", "dropped_attributes", "dropped_events", "dropped_links"), 0)
FIRST = date(2026, 11, 20)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def spoken(at: datetime, said: list[tuple[str, str]]) -> list[dict[str, object]]:
    words = {"name": "correctness", "value": 1.0, "tier": "human", "author_id": "ann", "source": "posted"}
    return [
        {"day": at.date(), "feedback_id": f"{at} {kind} {target}", "target_kind": kind, "target_id": target}
        | {"observed_at": at, **words}
        for kind, target in said
    ]


def build(lake: Lake, step: Step = LABEL) -> list[date]:
    found = list(stale(lake, step))
    transform = fold_runs if step is FOLD_RUNS else label
    list(rebuild_days(lake, step, found, transform))
    assert stale_days(lake, step) == []
    return found


@pytest.fixture
def lake(tmp_path: Path, span: Callable[..., dict]) -> Lake:
    """A run a day (trace and session are numbered alike), and something said each day of the day's own run."""
    made = Lake(str(tmp_path / "lake"))
    for number in range(DAYS):
        own = {"trace_id": f"t{number}", "session_id": f"session-{number}", "operation": "agent", **COUNTED}
        rows = [span("a", at=number * 86_400, **own, dialect="gen_ai", response_id=f"response-{number}")]
        made.overwrite(RAW_SPANS, RAW_SPANS.rows(rows), day(number))
        said = spoken(rows[0]["start_time"] + timedelta(minutes=1), [("run", f"t{number}:a")])
        made.overwrite(FEEDBACK, FEEDBACK.rows(said), day(number))
    build(made, FOLD_RUNS)
    assert made.read(AGENT_RUNS).num_rows == DAYS
    assert build(made) == [day(number) for number in range(DAYS)]
    return made


def say(lake: Lake, number: int, said: list[tuple[str, str]]) -> None:
    """More feedback on a day beside what is there."""
    rows = lake.read(FEEDBACK, [day(number)]).to_pylist()
    more = spoken(rows[0]["observed_at"] + timedelta(minutes=len(rows)), said)
    lake.overwrite(FEEDBACK, FEEDBACK.rows([*rows, *more]), day(number))


CASES = {
    "of an earlier run": ([("run", "t4:a")], [4, 8]),
    "of a span": ([("span", "t5:b")], [5, 8]),
    "of a session": ([("session", "session-3")], [3, 8]),
    "of a response": ([("response", "response-2")], [2, 8]),
    "of two runs": ([("run", "t4:a"), ("run", "t6:a")], [4, 6, 8]),
    "of a run before the reach": ([("run", "t0:a")], [8]),
    "of nothing known": ([("run", "elsewhere")], [8]),
}


@pytest.mark.parametrize(("said", "stale"), CASES.values(), ids=CASES.keys())
def test_late_feedback_rebuilds_the_days_it_speaks_of(lake: Lake, said: list, stale: list[int]) -> None:
    say(lake, 8, said)
    assert build(lake) == [day(number) for number in stale]
    kept = lake.read(LABELED_EXAMPLES)
    again = replace(LABEL, version="next")
    list(rebuild_days(lake, again, stale_days(lake, again), label))
    assert lake.read(LABELED_EXAMPLES).equals(kept)


@pytest.mark.parametrize("said", [said for said, _ in CASES.values()], ids=CASES.keys())
def test_days_that_are_asked_about_together_are_told_what_each_is_told_alone(lake: Lake, said: list) -> None:
    say(lake, 8, said)
    days = [day(number) for number in range(DAYS)]
    alone = {one: told for each in days for one, told in concerns(lake, LABEL, [each]).items()}
    assert concerns(lake, LABEL, days) == alone


def test_another_version_of_the_rules_makes_every_day_stale(lake: Lake) -> None:
    assert stale_days(lake, replace(LABEL, version="next")) == [day(number) for number in range(DAYS)]


def test_a_changed_horizon_makes_every_day_stale(lake: Lake) -> None:
    lake.overwrite(
        LABEL_SETTINGS, LABEL_SETTINGS.rows([{"name": "outcome_horizon_hours", "skill": "triage", "value": 72.0}])
    )
    assert build(lake) == [day(number) for number in range(DAYS)]


def test_a_day_that_waits_for_time_to_pass_is_stale_for_whatever_is_said(lake: Lake, span: Callable[..., dict]) -> None:
    own = {"trace_id": "t9", "operation": "agent", "dialect": "gen_ai", **COUNTED}
    lake.overwrite(RAW_SPANS, RAW_SPANS.rows([span("a", at=9 * 86_400, **own)]), day(9))
    build(lake, FOLD_RUNS)
    assert build(lake) == [day(8), day(9)]
    states = {row["day"]: row["outcome_state"] for row in lake.read(LABELED_EXAMPLES).to_pylist()}
    assert states[day(9)] == "immature"
    later = spoken(datetime.combine(day(11), datetime.min.time()).astimezone(), [("run", "elsewhere")])
    lake.overwrite(FEEDBACK, FEEDBACK.rows(later), day(11))
    assert day(9) in build(lake)
    states = {row["day"]: row["outcome_state"] for row in lake.read(LABELED_EXAMPLES).to_pylist()}
    assert states[day(9)] == "missing"


def test_a_day_that_waits_is_labeled_once_for_what_was_said_before(lake: Lake, span: Callable[..., dict]) -> None:
    own = {"trace_id": "t9", "operation": "agent", "dialect": "gen_ai", **COUNTED}
    lake.overwrite(RAW_SPANS, RAW_SPANS.rows([span("a", at=9 * 86_400 + 80_000, **own)]), day(9))
    build(lake, FOLD_RUNS)
    midnight = datetime.combine(day(10), datetime.min.time(), UTC)
    lake.overwrite(FEEDBACK, FEEDBACK.rows(spoken(midnight, [("run", "elsewhere")])), day(10))
    assert build(lake) == [day(8), day(9)]
    states = {row["day"]: row["outcome_state"] for row in lake.read(LABELED_EXAMPLES).to_pylist()}
    assert states[day(9)] == "immature"
    lake.overwrite(FEEDBACK, FEEDBACK.rows(spoken(midnight + timedelta(hours=1), [("run", "elsewhere")])), day(10))
    # Time has passed, and the run waits as before.
    assert build(lake) == []
