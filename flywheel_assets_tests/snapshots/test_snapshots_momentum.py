"""Momentum: blocks, the concurrent difference and its confidence sequence, the slope."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_assets.snapshots.concurrent import PRIOR, concurrent_difference, half_width
from flywheel_assets.snapshots.momentum import FEWEST, momentum, put_in_production
from flywheel_assets.snapshots.slope import slope
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.momentum import MOMENTUM

START = datetime(2026, 11, 1, tzinfo=UTC)


def observed(runs: list[tuple[str, str, float]], **other: object) -> pa.Table:
    """Admitted runs in order, each (skill, segment, outcome), a minute apart."""
    fixed = {"trace_id": "t", "root_span_id": "r", "runtime": "gen_ai", "status": "ok", "outcome_state": "labeled"}
    fixed |= {"grain": "run", "labelers": [], "votes": 1, "dissent": 0, "redacted": False, "remarks": []}
    rows = []
    for number, (skill, segment, outcome) in enumerate(runs):
        start = START + timedelta(minutes=number)
        row = {"day": start.date(), "run_id": f"r{number:06d}", "example_id": f"r{number:06d}", "start_time": start}
        rows.append({**fixed, **row, "skill": skill, "segment": segment, "outcome": outcome, **other})
    return GATED_OBSERVATIONS.rows(rows)


def alternating(count: int, production: float, holdout: float, skill: str = "s") -> list[tuple[str, str, float]]:
    """Every fourth run held out; outcomes 0 and 1 in the given shares."""
    seen = {"production": 0, "holdout": 0}
    runs = []
    for number in range(count):
        segment = "holdout" if number % 4 == 0 else "production"
        rate = holdout if segment == "holdout" else production
        seen[segment] += 1
        runs.append((skill, segment, float(int(seen[segment] * rate) > int((seen[segment] - 1) * rate))))
    return runs


def of(table: pa.Table, skill: str, name: str) -> list[object]:
    return [row[name] for row in table.to_pylist() if row["skill"] == skill]


def test_blocks_hold_so_many_runs_in_the_order_of_their_start():
    found = momentum(observed([("s", "production", 1.0)] * 250), block=100)
    assert of(found, "s", "runs") == [100, 100, 50]
    assert of(found, "s", "block") == [1, 2, 3]
    assert of(found, "s", "from_time") == [START + timedelta(minutes=m) for m in (0, 100, 200)]
    assert of(found, "s", "to_time") == [START + timedelta(minutes=m) for m in (99, 199, 249)]
    assert of(found, "s", "current_runs") == [100, 100, 50]


def test_a_block_states_each_group_and_what_was_not_measured_is_null():
    runs = [("s", "production", 1.0), ("s", "production", 0.0), ("s", "holdout", 0.0), ("s", "explore", 1.0)]
    found = momentum(observed(runs)).to_pylist()[1]
    assert (found["current"], found["baseline"], found["frozen"]) == (0.5, 0.0, None)
    assert (found["current_runs"], found["baseline_runs"], found["frozen_runs"], found["runs"]) == (2, 1, 0, 4)
    assert (found["lift"], found["standing"]) == (None, "not_measured")


@pytest.mark.parametrize(
    ("production", "holdout", "standing"),
    [(0.9, 0.3, "better"), (0.3, 0.9, "worse"), (0.6, 0.6, "undecided")],
)
def test_the_standing_says_what_the_interval_says(production: float, holdout: float, standing: str):
    last = momentum(observed(alternating(1200, production, holdout))).to_pylist()[-1]
    assert last["standing"] == standing
    assert last["lift"] == pytest.approx(production - holdout, abs=0.01)
    assert last["lower"] < last["lift"] < last["upper"]


def test_too_few_runs_held_out_are_not_measured():
    found = momentum(observed(alternating(4 * FEWEST + 100, 0.9, 0.1)), block=20)
    standings = of(found, "s", "standing")
    assert standings[: 4 * (FEWEST - 1) // 20] == ["not_measured"] * (4 * (FEWEST - 1) // 20)
    assert standings[-1] == "better"


def test_before_against_after_is_no_lift():
    # All get better over time, the holdout as much as production, but production's share grows meanwhile.
    early = [("s", "holdout" if n % 2 else "production", float(n % 5 == 0)) for n in range(400)]
    late = [("s", "holdout" if n % 8 == 0 else "production", float(n % 5 != 0)) for n in range(400)]
    last = momentum(observed(early + late)).to_pylist()[-1]
    assert last["standing"] == "undecided"
    assert abs(last["lift"]) < 0.05


def test_groups_that_never_ran_side_by_side_are_not_compared():
    found = momentum(observed([("s", "holdout", 1.0)] * 100 + [("s", "production", 0.0)] * 100)).to_pylist()
    assert {(row["lift"], row["lower"], row["upper"], row["standing"]) for row in found if row["skill"] == "s"} == {
        (None, None, None, "not_measured")
    }


def test_what_is_in_production_now_is_measured_alone():
    runs = alternating(800, 0.2, 0.2) + alternating(800, 0.9, 0.2)
    since = {"s": START + timedelta(minutes=800), "other": START}
    rows = momentum(observed(runs), since=since).to_pylist()
    last = rows[-1]
    assert (last["lift"], last["artifact_lift"]) == (pytest.approx(0.35, abs=0.02), pytest.approx(0.7, abs=0.02))
    assert (last["artifact_standing"], last["artifact_over_frozen"], last["artifact_compounding"]) == (
        "better",
        None,
        "not_measured",
    )
    assert {row["artifact_lift"] for row in rows if row["block"] <= 8} == {None}
    assert momentum(observed(runs)).to_pylist()[-1]["artifact_standing"] == "not_measured"


def test_production_since_its_newest_change_is_what_the_ledger_says():
    entries = [(1, "a", "promoted", 1), (2, "b", "registered", 2), (3, "a", "rolled_back", 3), (4, "a", "held", 4)]
    ledger = pa.table(
        {
            "seq": [entry[0] for entry in entries],
            "skill": [entry[1] for entry in entries],
            "kind": [entry[2] for entry in entries],
            "decided_at": [START + timedelta(days=entry[3]) for entry in entries],
        }
    )
    assert put_in_production(ledger) == {"a": START + timedelta(days=3)}


@pytest.mark.parametrize(
    ("production", "frozen", "words"),
    [
        (0.9, 0.3, "it compounds"),
        (0.6, 0.6, "no compounding: the gain is the first promotion's"),
        (0.6, 0.95, "worse than the first promotion"),
        (0.6, None, "cannot be told"),
        (0.2, 0.2, "none is credible yet"),
    ],
)
def test_it_is_said_in_words_whether_the_gain_grew(production: float, frozen: float | None, words: str):
    rng = np.random.default_rng(3)
    rates = {"production": production, "holdout": 0.2} | ({} if frozen is None else {"frozen": frozen})
    drawn = [str(rng.choice(list(rates))) for _ in range(2000)]
    runs = [("s", segment, float(rng.random() < rates[segment])) for segment in drawn]
    assert words in momentum(observed(runs)).to_pylist()[-1]["says"]


def test_all_skills_together_are_compared_skill_by_skill():
    # A hard skill has all the holdout traffic it can get; pooled, production would look far better.
    hard = [("hard", "holdout" if n % 2 else "production", float(n % 10 < 2)) for n in range(400)]
    easy = [("easy", "holdout" if n % 20 == 0 else "production", float(n % 10 != 3)) for n in range(400)]
    mixed = [run for pair in zip(hard, easy, strict=True) for run in pair]
    found = momentum(observed(mixed))
    assert abs(float(str(of(found, "*", "lift")[-1]))) < 0.06
    assert sum(int(str(runs)) for runs in of(found, "*", "runs")) == 800


def test_runs_without_a_skill_spans_and_unknown_outcomes_count_nothing():
    none = observed([("s", "production", 1.0)] * 3, skill=None)
    spans = observed([("s", "production", 1.0)] * 3, grain="span")
    unlabelled = observed([("s", "production", 1.0)] * 3, outcome=None)
    assert momentum(pa.concat_tables([none, spans, unlabelled])) == MOMENTUM.empty()


@settings(deadline=None, max_examples=20)
@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_the_order_in_which_rows_arrive_does_not_matter_and_every_run_is_counted(random, block):
    runs = [
        (random.choice("ab"), random.choice(["production", "holdout", "frozen", "canary"]), random.random())
        for _ in range(150)
    ]
    table = observed(runs)
    shuffled = list(range(150))
    random.shuffle(shuffled)
    found = momentum(table, block)
    assert momentum(table.take(shuffled), block) == found
    assert sum(int(str(count)) for count in of(found, "*", "runs")) == 150
    for skill in "ab":
        assert sum(int(str(count)) for count in of(found, skill, "runs")) == sum(run[0] == skill for run in runs)


def test_the_difference_is_least_squares_with_a_constant_per_block_and_clusters():
    rng = np.random.default_rng(5)
    block, cluster = np.arange(600) // 100, rng.integers(0, 150, 600)
    treated = rng.random(600) < 0.8
    outcome = np.clip(0.5 + 0.1 * treated + 0.05 * block + rng.normal(0, 0.2, 600), 0, 1)
    found = concurrent_difference(outcome, treated, block, cluster, 6)
    for seen in range(1, 6):
        part = block <= seen
        design = np.column_stack([treated[part], *((block[part] == b) for b in range(seen + 1))]).astype(float)
        robust = {"groups": cluster[part], "use_correction": False}
        fit = sm.OLS(outcome[part], design).fit(cov_type="cluster", cov_kwds=robust)
        groups = len(np.unique(cluster[part]))
        prior = PRIOR / 2 * (1 / found.treated[seen] ** 2 + 1 / found.control[seen] ** 2)
        assert found.estimate[seen] == pytest.approx(fit.params[0])
        assert found.variance[seen] == pytest.approx(fit.bse[0] ** 2 * groups / (groups - 1) + prior)


@pytest.mark.parametrize(
    ("runs", "held_out", "rate", "gain", "per_session"),
    [(4000, 0.05, 0.95, 0.0, 1), (4000, 0.05, 0.9, 0.08, 1), (3000, 0.1, 0.6, 0.0, 4), (4000, 0.02, 0.05, 0.0, 1)],
)
def test_the_sequence_holds_the_truth_at_all_blocks_at_once(runs, held_out, rate, gain, per_session):
    rng = np.random.default_rng(11)
    streams, left = 200, 0
    for _ in range(streams):
        session = rng.integers(0, runs // per_session, runs) if per_session > 1 else np.arange(runs)
        treated = (rng.random(runs) >= held_out)[session]
        drift = -0.2 * rate * np.arange(runs) / runs
        mood = rng.normal(0, 0.15, runs)[session] if per_session > 1 else 0.0
        outcome = (rng.random(runs) < rate + drift + gain * treated + mood).astype(float)
        found = concurrent_difference(outcome, treated, np.arange(runs) // 100, session, runs // 100)
        measured = (found.control >= FEWEST) & (found.treated >= FEWEST)
        left += bool((np.abs(found.estimate - gain) > half_width(found))[measured].any())
    assert left <= 0.05 * streams + 2 * (streams * 0.05 * 0.95) ** 0.5


def blocks(lifts: list[float], held_out: int = 10) -> pa.Table:
    fixed = {"skill": "*", "runs": 100, "from_time": START, "to_time": START, "frozen_runs": 0, "standing": "undecided"}
    return MOMENTUM.rows(
        [
            {
                **fixed,
                "block": n + 1,
                "current": 0.5 + lift,
                "current_runs": 90,
                "baseline": 0.5,
                "baseline_runs": held_out,
            }
            for n, lift in enumerate(lifts)
        ]
    )


def test_a_slope_is_the_growth_per_block_with_its_interval():
    noise = np.random.default_rng(2).normal(0, 0.02, 60)
    found = slope(blocks([0.004 * n + float(noise[n]) for n in range(60)]))
    assert found is not None
    assert found.lower < 0.004 < found.upper
    assert found.lower > 0
    flat = slope(blocks([0.1 + float(each) for each in noise]))
    assert flat is not None
    assert flat.lower < 0 < flat.upper


def test_a_slope_agrees_with_an_independent_fit():
    lifts = [float(x) for x in np.random.default_rng(3).normal(0.05, 0.05, 30)]
    design = sm.add_constant(np.arange(1, 31, dtype=float))
    fit = sm.OLS(lifts, design).fit(cov_type="HC3", use_t=True)
    found = slope(blocks(lifts))
    assert found is not None
    assert found.per_block == pytest.approx(fit.params[1])
    assert (found.lower, found.upper) == pytest.approx(tuple(fit.conf_int()[1]))


def test_few_blocks_have_no_slope():
    assert slope(blocks([0.1] * 7)) is None
    assert slope(MOMENTUM.empty()) is None
