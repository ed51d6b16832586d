"""Plots: what they show, that they are well-formed, and that they survive having nothing to show."""

import itertools
from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_assets.snapshots.plots.days import days_plot
from flywheel_assets.snapshots.plots.frontier import dollars, frontier_plot, money
from flywheel_assets.snapshots.plots.gates import gates_plot
from flywheel_assets.snapshots.plots.leaderboard import leaderboard_plot, short
from flywheel_assets.snapshots.plots.levels import levels_plot, rolling
from flywheel_assets.snapshots.plots.lift import lift_plot
from flywheel_assets.snapshots.plots.svg import Scale, label, percent, spanning
from flywheel_assets.snapshots.plots.timeline import timeline_plot
from flywheel_assets.snapshots.plots.trial import trial_plot

ARM = {"arm": "a/<model>|0123456789ab|-", "standing": "best", "reason": "a & b", "in_production": True}
SCORE = {"score": 0.5, "lower": 0.4, "upper": 0.6}
BLOCK = {"block": 1, "runs": 100, "frozen": None, "frozen_runs": 0, "standing": "better"}
BLOCK |= {"current": 0.8, "current_runs": 80, "baseline": 0.6, "baseline_runs": 20}
LOOK = {"kind": "held", "reason": "0 < x", "candidate_units": 40, "incumbent_units": 60}

ENTRY = {"experiment_id": "x", "skill": "a & b", "candidate_arm": "m|-|-", "reason": "0 < x", "alpha_left": 0.04}
ENTRIES = [
    {**ENTRY, "seq": number, "kind": kind, "decided_at": datetime(2026, 11, 1 + number * 4, tzinfo=UTC)}
    for number, kind in enumerate(("registered", "held", "promoted"))
]


def words(picture: str) -> list[str]:
    return ["".join(found.itertext()) for found in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        (lift_plot([], 340), "Not measured yet: too few runs in the holdout."),
        (lift_plot([{**BLOCK, "lift": None}], 340), "Not measured yet: too few runs in the holdout."),
        (lift_plot([{**BLOCK, "lift": 0.123, "lower": 0.1, "upper": 0.2}], 720), "+12.3"),
        (levels_plot([BLOCK], 340), "production 80.0"),
        (levels_plot([BLOCK], 720), "holdout 60.0"),
        (trial_plot([{**LOOK, "estimate": None, "lower": None, "upper": None}]), "Registered; no evidence yet."),
        (trial_plot([{**LOOK, "estimate": -0.05, "lower": -0.1, "upper": 0.1}]), "−5.0"),
        (leaderboard_plot([{**ARM, **SCORE}]), "<model> · 01234567"),
        (leaderboard_plot([{**ARM, "score": None, "lower": None, "upper": None}]), "no admitted outcome yet"),
        (frontier_plot([{**ARM, **SCORE, "cost_usd": 0.01, "on_frontier": True}]), "<model> · 01234567"),
        (gates_plot([], 720), "No run has been seen yet."),
        (days_plot([], 340), "No day has runs yet."),
        (timeline_plot([], 340), "No trial is registered yet."),
        (timeline_plot(ENTRIES[:2], 340), "still on trial"),
        (timeline_plot(ENTRIES, 720), "promoted"),
        (timeline_plot(ENTRIES, 720), "error budget left: 0.0400"),
        (timeline_plot([{**ENTRIES[0], "alpha_left": None}], 340), "2026-11-01"),
    ],
)
def test_a_plot_says_what_it_shows(picture: str, says: str):
    assert says in words(picture)


FUNNEL = [
    {"step": 1, "state": "seen", "outcome_state": None, "reason": None, "runs": 10},
    {"step": 2, "state": "labeled", "outcome_state": "labeled", "reason": None, "runs": 7},
    {"step": 2, "state": "missing", "outcome_state": "missing", "reason": None, "runs": 3},
    {"step": 3, "state": "admitted", "outcome_state": "labeled", "reason": None, "runs": 6},
    {"step": 3, "state": "held", "outcome_state": "missing", "reason": "outcome: missing", "runs": 3},
    {"step": 3, "state": "discarded", "outcome_state": "labeled", "reason": "secrets: key", "runs": 1},
]


def test_flows_leave_the_block_that_the_runs_were_in():
    found = ET.fromstring(gates_plot(FUNNEL, 720))
    starts = [path.attrib["d"].split(" ")[0] for path in found.iter("{http://www.w3.org/2000/svg}path")]
    # 210 px for 10 runs; labelled runs from 14 px on, missing ones a gap below them.
    assert starts == ["M12.0,14.0", "M12.0,161.0", "M228.0,14.0", "M228.0,177.0", "M228.0,140.0"]


@pytest.mark.parametrize("width", [340, 720])
def test_the_funnel_shows_every_step_at_every_width(width: int):
    assert {"runs seen", "nobody said", "admitted", "outcome: missing", "secrets: key"} <= set(
        words(gates_plot(FUNNEL, width))
    )


def test_days_are_stacked_by_what_became_of_their_runs():
    day = {"day": date(2026, 11, 1), "runs": 10, "admitted": 6, "refused": 1, "missing": 2, "immature": 1}
    assert {"admitted", "refused", "missing", "immature", "2026-11-01"} <= set(words(days_plot([day], 340)))


def test_lines_are_drawn_from_when_there_are_enough_runs():
    rows = [{**BLOCK, "block": n, "baseline": 0.1 * n, "baseline_runs": 10} for n in range(1, 5)]
    assert [(block, round(mean, 9)) for block, mean in rolling(rows, "baseline")] == [(2, 0.15), (3, 0.2), (4, 0.25)]


@pytest.mark.parametrize(
    ("arm", "said"),
    [("openai/gpt|-|-", "gpt"), ("gpt|0123456789ab|x", "gpt · 01234567"), ("gpt", "gpt"), ("", "")],
)
def test_arms_are_named_as_people_say_them(arm: str, said: str):
    assert short(arm) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0, "$0"), (12.5, "$12.50"), (0.0123, "$0.012"), (0.0041, "$0.0041"), (0.00001, "$1e-05")]
)
def test_money_has_the_digits_that_matter(value: float, said: str):
    assert money(value) == said


def test_ticks_of_money_can_be_told_apart():
    assert [said for _, said in dollars([0.00408, 0.0041])] == ["$0.00408", "$0.00410"]
    assert [said for _, said in dollars([-0.01, 0.0, 0.01])] == ["$0.00", "$0.01"]


def test_shares_are_written_in_per_cent():
    assert (percent(0.123), percent(-0.05, signed=True), label(0.2, signed=True), label(0)) == (
        "12.3",
        "−5.0",
        "+20",
        "0",
    )


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 8))
def test_ticks_are_round_ascending_within_the_scale_and_not_too_many(low, extent, about):
    scale = Scale(low, low + extent, 0, 100)
    ticks = scale.ticks(about)
    assert ticks == sorted(ticks)
    assert len(ticks) <= about + 1
    assert all(-1e-3 <= scale(tick) <= 100.001 for tick in ticks)


@given(st.lists(st.one_of(st.none(), st.floats(-1, 1)), max_size=5))
def test_a_scale_holds_all_its_values(values):
    scale = spanning(values, 0, 100)
    assert all(0 <= scale(value) <= 100 for value in values if value is not None)


def test_names_of_arms_that_are_near_each_other_are_not_written_over_each_other():
    near = [{**ARM, **SCORE, "cost_usd": cost, "on_frontier": True} for cost in (0.01, 0.0101, 0.0102)]
    drawn = ET.fromstring(frontier_plot([*near, {**near[0], "cost_usd": 0.02}]))
    heights = [float(one.get("y") or 0) for one in drawn.iter() if "arm" in (one.get("class") or "").split()]
    assert len(heights) == 4
    assert min(abs(a - b) for a, b in itertools.combinations(heights[:3], 2)) >= 13
