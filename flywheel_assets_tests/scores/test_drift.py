"""Drift and outlook: what changed is found when it changed, what did not is left alone; and what is missing is said."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower

from flywheel_assets.lake.session import connection
from flywheel_assets.scores.drift import drift
from flywheel_assets.scores.estimators.cusum import FEWEST, change
from flywheel_assets.scores.outlook import ALPHA, ANYTIME, POWER, outlook, units_needed
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.label_votes import LABEL_VOTES
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES

DAY = date(2026, 1, 1)
Row = dict[str, object]


def run(number: int, day: int, outcome: float | None, **columns: object) -> Row:
    at = datetime.combine(DAY + timedelta(days=day), datetime.min.time(), UTC) + timedelta(seconds=number)
    return {
        "day": at.date(),
        "run_id": f"run-{number}",
        "trace_id": "t",
        "root_span_id": "s",
        "runtime": "gen_ai",
        "start_time": at,
        "skill": "triage",
        "arm": "old|-|-",
        "model": "old",
        "propensity": 0.5,
        "status": "ok",
        "example_id": f"run-{number}",
        "grain": "run",
        "outcome": outcome,
        "outcome_state": "missing" if outcome is None else "labeled",
        "labelers": [],
        "votes": 1,
        "dissent": 0,
    } | columns


def vote(number: int, day: int, value: float) -> Row:
    return {
        "day": DAY + timedelta(days=day),
        "example_id": f"run-{number}",
        "grain": "run",
        "run_id": f"run-{number}",
        "labeler": "judge",
        "labeler_version": "1",
        "tier": "judge",
        "author_id": "judge",
        "value": value,
        "confidence": 0.8,
        "evidence": "e",
    }


def drifted(rates: list[float], votes: list[float]) -> dict[tuple[str, str], Row]:
    rng = np.random.default_rng(3)
    rows = [
        run(100 * day + at, day, float(rng.random() < rate)) | {"redacted": False, "remarks": []}
        for day, rate in enumerate(rates)
        for at in range(100)
    ]
    voted = [vote(100 * day + at, day, float(rng.random() < r)) for day, r in enumerate(votes) for at in range(100)]
    con = connection()
    con.register("gated_observations", GATED_OBSERVATIONS.rows(rows))
    con.register("label_votes", LABEL_VOTES.rows(voted))
    found = drift(con, DAY + timedelta(days=400))
    return {(row["kind"], row["skill"]): row for row in found.to_pylist()}


@pytest.mark.parametrize(
    ("rates", "standing", "since"),
    [
        ([0.7] * 30, "steady", None),
        ([0.8] * 15 + [0.55] * 15, "down", 15),
        ([0.5] * 15 + [0.75] * 15, "up", 15),
        ([0.7] * FEWEST, "too_short", None),
    ],
)
def test_a_change_is_found_about_when_it_happened(rates: list[float], standing: str, since: int | None) -> None:
    found = drifted(rates, [0.6] * len(rates))
    for kind in ("skill", "arm", "source"):
        assert found[kind, "triage"]["standing"] == standing
    assert found["labeler", "*"]["standing"] in ("steady", "too_short")
    if since is not None:
        seen = found["skill", "triage"]["since"]
        assert abs((seen - DAY).days - since) <= 7
        assert "only arms that ran at the same time" in str(found["skill", "triage"]["reason"])


def test_a_judge_that_changes_is_told_from_the_runs_that_it_judges() -> None:
    found = drifted([0.6] * 30, [0.9] * 20 + [0.6] * 10)
    assert (found["labeler", "*"]["standing"], found["skill", "triage"]["standing"]) == ("down", "steady")


def test_a_steady_series_rarely_alarms_in_a_year() -> None:
    alarms = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        mean = rng.binomial(80, 0.7, 365) / 80
        alarms += change(mean, np.full(365, 0.21 / 80)).start is not None
    assert alarms <= 10


def looked(rows: list[Row]) -> dict[str, Row]:
    con = connection()
    con.register("labeled_examples", LABELED_EXAMPLES.rows(rows))
    return {row["skill"]: row for row in outlook(con, DAY + timedelta(days=20)).to_pylist()}


def test_units_needed_are_those_of_an_independent_power_analysis() -> None:
    alone = NormalIndPower().solve_power(0.03 / 0.5, power=POWER, alpha=ALPHA, alternative="larger")
    assert units_needed(0.03, 0.5) == pytest.approx(ANYTIME * 2 * alone, rel=1e-3)


@pytest.mark.parametrize(
    ("columns", "silent_rows", "words"),
    [
        ({}, 0, "three points take"),
        ({}, 4, "buy labels first"),
        ({"propensity": None}, 0, "let the client decide"),
    ],
)
def test_the_outlook_says_what_would_help_first(columns: Row, silent_rows: int, words: str) -> None:
    rows = [run(10 * day + at, day, float(at % 2)) | columns for day in range(10) for at in range(10)]
    for row in rows:
        if int(str(row["run_id"]).removeprefix("run-")) % 10 < silent_rows:
            row |= {"outcome": None, "outcome_state": "missing"}
    found = looked(rows)["triage"]
    assert words in str(found["advice"])
    assert found["units_a_day"] == 10 - silent_rows
    assert found["labels_worth"] == silent_rows
    assert 0 < float(str(found["detectable_30_days"])) < 1


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"skill": None}, "teach nothing"),
        ({"outcome": None, "outcome_state": "missing"}, "send outcomes"),
        ({"propensity": None}, "not compared"),
    ],
)
def test_runs_that_teach_nothing_are_counted_with_what_to_do(columns: Row, words: str) -> None:
    rows = [run(at, 0, 1.0) | (columns if at < 6 else {}) for at in range(10)]
    everything = looked(rows)["*"]
    assert everything["silent"] is not None
    assert "60% of the runs" in str(everything["silent"])
    assert looked([run(at, 0, 1.0) | (columns if at < 4 else {}) for at in range(10)])["*"]["silent"] is None
    assert words in str(everything["silent"])


def test_a_model_that_never_ran_without_its_prompt_is_confounded_with_it() -> None:
    pairs = [("old", "a"), ("new", "b")]
    rows = [run(at, 0, 1.0, model=pairs[at % 2][0], prompt_version=pairs[at % 2][1]) for at in range(40)]
    apart = [*rows, run(99, 0, 1.0, model="new", prompt_version="a")]
    assert looked(rows)["triage"]["confounded"] == [
        "model new is confounded with prompt b",
        "model old is confounded with prompt a",
    ]
    assert looked(apart)["triage"]["confounded"] == []


def test_whatever_the_order_of_the_rows_the_last_bit_is_the_same() -> None:
    rng = np.random.default_rng(5)
    graded = rng.random(2000).tolist()
    rows = [run(at, at % 20, outcome) for at, outcome in enumerate(graded)]
    gated = [row | {"redacted": False, "remarks": []} for row in rows]
    votes = [vote(at, at % 20, value) for at, value in enumerate(rng.random(2000).tolist())]
    found: set[str] = set()
    for _ in range(5):
        con = connection()
        for table, of in ((GATED_OBSERVATIONS, gated), (LABELED_EXAMPLES, rows), (LABEL_VOTES, votes)):
            con.register(table.name, table.rows(of).take(rng.permutation(2000)))
        found.add(repr([step(con, DAY + timedelta(days=20)).to_pylist() for step in (drift, outlook)]))
    assert len(found) == 1
