"""Judges are corrected by people's answers about a random sample: as published, with the coverage stated, or not."""

import warnings
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from flywheel_assets.examples.correct import LEAST_ANCHORS, compare_judges, correct_judges
from flywheel_assets.examples.prediction_powered import Sums, corrected_mean
from flywheel_assets.examples.rogan_gladen import Answers, Share, rogan_gladen
from flywheel_assets.lake.session import connection
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.documents.anchors import ANCHOR, DRAW
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.judge_day_stats import JUDGE_DAY_STATS
from flywheel_assets.tables.statements import LABEL_SETTINGS
from flywheel_assets_tests.examples.conftest import NOON, TODAY


def sums(judge: np.ndarray, people: np.ndarray | None = None) -> Sums:
    """Each run a session of its own."""
    n, f = len(judge), judge.sum()
    known = Sums(n, n, f, f, judge @ judge)
    if people is None:
        return known
    y = people.sum()
    return Sums(*(getattr(known, name) for name in ("n", "nn", "f", "nf", "ff")), y, y, judge @ people, people @ people)


def world(seed: int, anchors: int, free: int, right: float, rate: float = 0.7) -> tuple[np.ndarray, ...]:
    """What people would say, and what a judge says that is `right` so often, of anchored and free runs."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(anchors + free) < rate).astype(float)
    judge = np.where(rng.random(anchors + free) < right, truth, 1 - truth)
    return truth[:anchors], judge[:anchors], judge[anchors:]


@pytest.mark.parametrize(
    ("anchors", "free", "right"), [(40, 400, 0.9), (200, 1000, 0.6), (30, 35, 0.5), (500, 90, 0.99)]
)
def test_the_corrected_mean_equals_the_authors_own_implementation(anchors: int, free: int, right: float):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ppi_py = pytest.importorskip("ppi_py")
    people, judge, others = world(3, anchors, free, right)
    jitter = np.random.default_rng(4)
    judge, others = (np.clip(each + jitter.normal(0, 0.1, len(each)), 0, 1) for each in (judge, others))
    found = corrected_mean(sums(judge, people), sums(others), contradictions=0)
    low, high = (float(end[0]) for end in ppi_py.ppi_mean_ci(people, judge, others, alpha=0.05))
    rate = float(ppi_py.ppi_mean_pointestimate(people, judge, others)[0])
    assert (found.rate, found.lower, found.upper) == pytest.approx((rate, low, high), abs=1e-9)


def test_without_free_runs_the_answers_speak_alone_and_a_judge_that_never_varies_gets_no_weight():
    people = np.array([1.0, 0, 1, 1] * 10)
    alone = corrected_mean(sums(people, people), sums(np.empty(0)))
    constant = corrected_mean(sums(np.ones(40), people), sums(np.ones(500)))
    assert (alone.rate, alone.trust, constant.rate, constant.trust) == (0.75, 0.0, 0.75, 0.0)


def test_a_judge_that_always_agreed_so_far_is_still_not_believed_without_limit():
    people = np.array([1.0, 0] * 15)
    found = corrected_mean(sums(people, people), sums(np.array([1.0, 0] * 5000)))
    assert found.upper - found.lower > 0.1


@pytest.mark.parametrize("right", [0.55, 0.8, 0.97])
@pytest.mark.parametrize("rate", [0.3, 0.9])
def test_intervals_hold_the_truth_as_often_as_they_say(right: float, rate: float):
    held, given, tried = {"ppi": 0, "rg": 0}, 0, 600
    for seed in range(tried):
        people, judge, others = world(seed, 40, 600, right, rate)
        mean = corrected_mean(sums(judge, people), sums(others))
        held["ppi"] += mean.lower <= rate <= mean.upper
        both = [int(((judge == f) & (people == y)).sum()) for f, y in ((1, 1), (1, 0), (0, 1), (0, 0))]
        share = rogan_gladen(Answers(int(judge.sum() + others.sum()), len(judge) + len(others), *both))
        if isinstance(share, Share):
            given += 1
            held["rg"] += share.lower <= rate <= share.upper
    assert held["ppi"] / tried >= 0.93
    assert held["rg"] / max(given, 1) >= 0.92


def test_sessions_whose_runs_say_the_same_count_as_one():
    people, judge, others = world(9, 60, 300, 0.8)
    alone = corrected_mean(sums(judge, people), sums(others), contradictions=0)
    five = 5
    once, free = sums(judge, people), sums(others)
    linear = {"n", "f", "y"}
    grouped = Sums(**{name: getattr(once, name) * (five if name in linear else five**2) for name in Sums.__slots__})
    free = Sums(**{name: getattr(free, name) * (five if name in linear else five**2) for name in Sums.__slots__})
    together = corrected_mean(grouped, free, contradictions=0)
    assert together.rate == pytest.approx(alone.rate, abs=0.05)
    assert together.upper - together.lower == pytest.approx(alone.upper - alone.lower, rel=0.1)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (Answers(60, 100, 45, 10, 5, 40), pytest.approx((0.6 + 0.8 - 1) / (0.9 + 0.8 - 1), abs=1e-12)),
        (Answers(5, 100, 45, 10, 5, 40), 0.0),
        (Answers(60, 100, 25, 25, 25, 25), "the judge tells good from bad hardly better than chance (Youden's J 0.00)"),
        (Answers(60, 100, 25, 0, 25, 0), "no anchored run that people call bad"),
        (Answers(60, 100, 0, 25, 0, 25), "no anchored run that people call good"),
    ],
)
def test_rogan_gladen_is_the_published_formula_or_says_why_not(answers: Answers, expected: object):
    found = rogan_gladen(answers)
    assert (found.rate if isinstance(found, Share) else found) == expected
    assert isinstance(found, str) or found.lower <= found.rate <= found.upper


def lake_of(runs: int, said: list[dict]) -> pa.Table:
    """`judge_day_stats` of a day with so many runs of one skill and arm and these statements."""
    facts = {"day": TODAY, "runtime": "gen_ai", "start_time": NOON, "skill": "triage", "arm": "m|p|-", "status": "ok"}
    rows = [{**facts, "run_id": f"r{n}", "trace_id": f"{n:032x}", "root_span_id": f"{n:016x}"} for n in range(runs)]
    con = connection()
    con.register("agent_runs", pa.Table.from_pylist(rows, schema=AGENT_RUNS.schema))
    filled = {"day": TODAY, "target_kind": "run", "observed_at": NOON, "source": "posted"}
    told = [{**filled, "feedback_id": str(n), **one} for n, one in enumerate(said)]
    con.register("feedback", FEEDBACK.rows(told))
    con.register("label_settings", LABEL_SETTINGS.rows([{"name": "anchor_share", "skill": "*", "value": 0.5}]))
    return compare_judges(con, TODAY)[0]


def drawn(runs: int) -> list[str]:
    """Runs of the sample of a half."""
    ids = ", ".join(f"('r{n}')" for n in range(runs))
    sql = f"SELECT run_id FROM (VALUES {ids}) AS t(run_id) WHERE {DRAW} < 0.5 ORDER BY {DRAW}"
    return [name for (name,) in connection().execute(sql).fetchall()]


def judge(run: str, value: float | None, version: str | None = "v1", **more: object) -> dict:
    said = {"target_id": run, "name": "judge", "value": value, "tier": "judge", "author_id": "m"}
    return {**said, "author_version": version, **more}


def person(run: str, value: float | None, name: str = ANCHOR, author: str = "ann", **more: object) -> dict:
    return {"target_id": run, "name": name, "value": value, "tier": "human", "author_id": author, **more}


def corrections(*days: pa.Table) -> dict[tuple[str, str], dict]:
    con = connection()
    con.register("judge_day_stats", pa.concat_tables(days))
    return {(row["arm"], row["author_version"]): row for row in correct_judges(con).to_pylist()}


def test_answers_of_the_sample_correct_a_generous_judge_and_say_who_answered():
    sample, runs = drawn(400), [f"r{n}" for n in range(400)]
    bad = set(runs[::2])
    said = [judge(run, 1.0) for run in runs]
    said += [person(run, float(run not in bad), author="ann" if n % 2 else "bob") for n, run in enumerate(sample[:120])]
    found = corrections(lake_of(400, said))
    assert {arm for arm, _ in found} == {"m|p|-", "*"}
    row = found["m|p|-", "v1"]
    assert (row["state"], row["judged"], row["anchored"], row["people"]) == ("corrected", 400, 120, ["ann", "bob"])
    assert (row["judge_rate"], row["lower"] < 0.5 < row["upper"]) == (1.0, True)
    assert row["rg_rate"] is None
    assert "hardly better than chance" in row["rg_reason"]


def test_another_version_of_the_judge_has_no_correction_until_it_has_judged_answered_runs_itself():
    sample, runs = drawn(400), [f"r{n}" for n in range(400)]
    people = [person(run, 1.0) for run in sample[:60]]
    later = NOON + timedelta(hours=1)
    old = [judge(run, 1.0) for run in runs]
    new = [judge(run, 0.0, "v2", observed_at=later) for run in runs if run not in sample]
    found = corrections(lake_of(400, people + old + new))
    before, after = found["*", "v1"], found["*", "v2"]
    assert (before["state"], before["rate"], before["rg_rate"]) == ("superseded", None, None)
    assert (after["state"], after["rate"], after["rg_rate"]) == ("missing", None, None)
    assert after["reason"] == f"0 of this version's runs have a person's answer, {LEAST_ANCHORS} are needed"
    again = [judge(run, 1.0, "v2", observed_at=later) for run in sample[:60]]
    assert corrections(lake_of(400, people + old + new + again))["*", "v2"]["state"] == "corrected"


def test_only_answers_about_the_sample_count_and_whoever_cannot_tell_has_not_answered():
    sample = drawn(400)
    outside = [f"r{n}" for n in range(400) if f"r{n}" not in sample]
    said = [judge(f"r{n}", 1.0) for n in range(400)]
    said += [person(run, 0.0) for run in outside]
    said += [person(run, 0.0, name="thumbs") for run in sample]
    said += [person(run, None, value_text="unclear") for run in sample[:50]]
    said += [judge("r1", 1.0, author_id="unregistered"), judge("r2", 1.0, None, author_id="other")]
    found = lake_of(400, said).to_pylist()
    assert {(row["author_id"], row["author_version"], row["anchor_n"]) for row in found} == {
        ("m", "v1", 0.0),
        ("other", "-", 0.0),
    }


def test_a_judge_without_a_version_is_never_corrected():
    said = [judge(run, 1.0, None) for run in drawn(400)] + [person(run, 1.0) for run in drawn(400)]
    row = corrections(lake_of(400, said))["*", "-"]
    assert (row["state"], row["rate"]) == ("missing", None)
    assert "states no version" in row["reason"]


def test_days_add_up_and_the_latest_word_of_an_author_counts():
    sample = drawn(100)
    earlier = [judge(run, 0.0, observed_at=NOON - timedelta(hours=1)) for run in sample]
    said = [*earlier, *(judge(run, 1.0) for run in sample), *(person(run, 1.0) for run in sample)]
    one = lake_of(100, said)
    both = corrections(one, one)["*", "v1"]
    assert both["judged"] == 2 * len(sample) == both["anchored"]
    assert both["judge_rate"] == 1.0
    assert JUDGE_DAY_STATS.conform(one).num_rows == 1
