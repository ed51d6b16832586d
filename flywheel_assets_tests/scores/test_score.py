"""Scores merge days in any order, decay, and rank only what the evidence can tell apart."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flywheel_assets.scores.score import score
from flywheel_assets.scores.standing import Interval, standings
from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS

DAY = date(2026, 3, 2)


def runs(run: Callable, arm: str, outcomes: str, day: date = DAY, **given: object) -> list[dict]:
    return [
        run(f"{arm}-{day}-{number}", day, arm=f"{arm}|-|-", outcome=float(outcome), **given)
        for number, outcome in enumerate(outcomes)
    ]


def by_arm(scores: pa.Table) -> dict[str, dict]:
    return {row["model"]: row for row in scores.to_pylist()}


def test_no_days_give_no_scores() -> None:
    assert score(SKILL_DAY_STATS.empty(), DAY).num_rows == 0


def test_an_arm_without_evidence_has_counts_and_no_figures(run: Callable, stats_of: Callable) -> None:
    unknown = {"outcome": None, "confidence": None, "weight": None}
    rows = [run("a", outcome_state="missing", **unknown), run("b", outcome_state="immature", **unknown), run("c")]
    (row,) = score(stats_of(rows, refused=["c"]), DAY).to_pylist()
    assert [row[name] for name in ("runs", "admitted", "missing", "immature", "refused")] == [3, 0, 1, 1, 1]
    nulls = ("mean", "score", "lower", "upper", "worst_case", "best_case", "cost_usd", "p50_seconds", "rank")
    assert [row[name] for name in nulls] == [None] * len(nulls)
    assert (row["effective_n"], row["error_rate"]) == (0, 0)
    assert (row["standing"], row["reason"]) == ("unranked", "no evidence")


def test_the_mean_is_plain_and_the_bounds_count_what_nobody_said(run: Callable, stats_of: Callable) -> None:
    rows = runs(run, "small", "1110", day=DAY - timedelta(days=90)) + runs(run, "small", "0000")
    rows += [
        run(f"m{number}", arm="small|-|-", outcome=None, weight=None, outcome_state=state)
        for number, state in enumerate(["missing", "immature"])
    ]
    (row,) = score(stats_of(rows), DAY).to_pylist()
    assert row["mean"] == pytest.approx(3 / 8)
    assert (row["worst_case"], row["best_case"]) == (pytest.approx(3 / 10), pytest.approx(5 / 10))
    # Three half-lives back, four runs weigh an eighth each.
    assert row["score"] < 0.3
    assert row["effective_n"] == pytest.approx(4.5**2 / (4 + 4 / 64), rel=1e-9)
    assert (row["first_day"], row["last_day"]) == (DAY - timedelta(days=90), DAY)


def test_cost_errors_and_latency_are_over_all_runs(run: Callable, stats_of: Callable) -> None:
    rows = [
        run("a", cost_usd=0.1, status="error", duration_ns=10**9, outcome_state="missing", outcome=None),
        run("b", cost_usd=0.3, duration_ns=10**9),
        run("c"),
    ]
    (row,) = score(stats_of(rows), DAY).to_pylist()
    assert row["cost_usd"] == pytest.approx(0.2)
    assert row["error_rate"] == pytest.approx(1 / 3)
    assert row["p50_seconds"] == pytest.approx(1, rel=0.19)


cell = st.tuples(st.sampled_from("xyz"), st.sampled_from("abc"), st.integers(0, 40), st.text("01", max_size=9))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(cell, max_size=12, unique_by=lambda each: each[:3]), data=st.data())
def test_days_merge_in_any_order(cells: list[tuple], data: st.DataObject, run: Callable, stats_of: Callable) -> None:
    rows = [
        row | {"example_id": f"{skill}-{row['run_id']}"}
        for skill, arm, age, outcomes in cells
        for row in runs(run, arm, outcomes, DAY - timedelta(days=age), skill=skill)
    ]
    stats = stats_of(rows) if rows else SKILL_DAY_STATS.empty()
    order = data.draw(st.permutations(range(stats.num_rows)))
    assert score(stats.take(pa.array(order, pa.int64())), DAY).equals(score(stats, DAY))


def test_days_merged_equal_one_day_of_all_runs(run: Callable, stats_of: Callable) -> None:
    rng = np.random.default_rng(2)
    spread = [
        run(f"r{n}", DAY - timedelta(days=n % 5), outcome=float(rng.random()), weight=float(rng.uniform(0.2, 1)))
        for n in range(60)
    ]
    together = [row | {"day": DAY, "start_time": spread[0]["start_time"]} for row in spread]
    forever = timedelta(days=10**6)
    (merged,), (whole,) = (score(stats_of(rows), DAY, forever).to_pylist() for rows in (spread, together))
    for name in ("mean", "score", "lower", "upper", "effective_n", "worst_case"):
        assert merged[name] == pytest.approx(whole[name], rel=1e-5), name
    assert merged["mean"] == pytest.approx(whole["mean"], rel=1e-12)


def test_segments_of_an_arm_are_one_arm(run: Callable, stats_of: Callable) -> None:
    rows = [*runs(run, "small", "10", segment="canary"), run("x", arm="small|-|-", segment="production")]
    (row,) = score(stats_of(rows), DAY).to_pylist()
    assert (row["runs"], row["mean"]) == (3, pytest.approx(2 / 3))


def test_arms_that_differ_beyond_doubt_are_ranked_and_others_are_not(run: Callable, stats_of: Callable) -> None:
    rows = [*runs(run, "good", "1" * 190 + "0" * 10), *runs(run, "poor", "1" * 60 + "0" * 140)]
    scores = by_arm(score(stats_of(rows), DAY))
    assert (scores["good"]["standing"], scores["good"]["rank"]) == ("best", 1)
    assert (scores["poor"]["standing"], scores["poor"]["rank"]) == ("worse", 2)
    with_new = by_arm(score(stats_of([*rows, *runs(run, "new", "10")]), DAY))
    assert (with_new["good"]["standing"], with_new["good"]["rank"]) == ("tied", None)
    assert "cannot be ranked" in with_new["new"]["reason"]


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([(0.1, 0.2)], [(None, "unranked")]),
        ([None, None], [(None, "unranked"), (None, "unranked")]),
        ([(0.1, 0.2), None], [(None, "unranked"), (None, "unranked")]),
        ([(0.5, 0.6), (0.1, 0.2)], [(1, "best"), (2, "worse")]),
        ([(0.5, 0.6), (0.55, 0.7)], [(None, "tied"), (None, "tied")]),
        ([(0.5, 0.6), (0.6, 0.7)], [(None, "tied"), (None, "tied")]),
        ([(0.5, 0.6), (0.55, 0.7), (0.1, 0.2)], [(None, "tied"), (None, "tied"), (3, "worse")]),
        ([(0.8, 0.9), (0.1, 0.3), (0.2, 0.4)], [(1, "best"), (None, "worse"), (None, "worse")]),
    ],
)
def test_standing_follows_the_intervals(intervals: list, expected: list) -> None:
    arms = [f"arm-{number}" for number in range(len(intervals))]
    found = standings(arms, [None if each is None else Interval(*each) for each in intervals])
    assert [(each.rank, each.standing) for each in found] == expected
    assert all(each.reason for each in found)
