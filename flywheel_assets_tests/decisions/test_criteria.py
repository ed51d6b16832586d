"""Every criterion is seen to pass, to fail and to leave open, as far as it can."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from flywheel_assets.decisions.criteria.registry import CRITERIA, rules
from flywheel_assets.decisions.evidence import Evidence
from flywheel_assets.decisions.judge import judge
from flywheel_assets.decisions.trial import Conditions, Failed, IdenticalArms, Passed, Trial, Undecided
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.documents.skills_file import Guardrail
from flywheel_assets_tests.decisions.conftest import START

SLOW = Guardrail(metric="seconds", max_increase=2.0, ceiling=20.0)
DEAR = Guardrail(metric="cost_usd", max_increase=0.01, ceiling=0.1)
ERRORS = Guardrail(metric="error_rate", max_increase=0.05)
FINE = Conditions(predecessor_known=True)


def registration(**changed: object) -> Registration:
    stated = {
        "experiment_id": "exp-1",
        "skill": "triage",
        "kind": "routing",
        "candidate_arm": "new|-|-",
        "incumbent_arm": "old|-|-",
        "margin": 0.0,
        "canary_share": 0.4,
        "incumbent_share": 0.4,
        "guardrails": (),
        "alpha": 0.0125,
        "position": 1,
        "max_units": 4000,
        "needs_approval": False,
        "registered_at": START,
        "candidate_id": "c",
    }
    return Registration.model_validate(stated | changed)


def evidence(units: int, *, split: float = 0.5, seed: int = 0, **metrics: tuple[float, float] | None) -> Evidence:
    """Units of both arms; a metric is given as the means (candidate, incumbent), or None where unreported."""
    rng = np.random.default_rng(seed)
    candidate = rng.random(units) < split

    def measured(name: str, default: tuple[float, float], noise: float) -> np.ndarray:
        means = metrics.get(name, default)
        if means is None:
            return np.full(units, np.nan)
        mean = np.where(candidate, *means)
        return mean * rng.uniform(1 - noise, 1 + noise, units) if noise else (rng.random(units) < mean).astype(float)

    rows = {
        "run_id": [f"run-{number}" for number in range(units)],
        "unit_id": [f"unit-{number}" for number in range(units)],
        "start_us": range(units),
        "day": ["2026-03-01"] * units,
        "candidate": candidate,
        "outcome": measured("outcome", (0.5, 0.5), 0),
        "error_rate": measured("error_rate", (0.0, 0.0), 0),
        "cost_usd": pa.array(measured("cost_usd", (0.01, 0.01), 0.1), from_pandas=True),
        "seconds": pa.array(measured("seconds", (5.0, 5.0), 0.2), from_pandas=True),
    }
    return Evidence(pa.table(rows), {})


def grouped(found: Evidence, **columns: list[str | None]) -> Evidence:
    """The same units with columns that say where they belong."""
    rows = found.rows.drop_columns([name for name in columns if name in found.rows.column_names])
    for name, values in columns.items():
        rows = rows.append_column(name, pa.array(values, pa.string()))
    return Evidence(rows, found.refused)


def mostly_one_day(units: int) -> Evidence:
    """A better candidate, nearly all of whose units are of one day."""
    return grouped(evidence(units, outcome=(0.8, 0.5)), day=["a"] * (units - 10) + ["b"] * 10)


def one_reporter(units: int) -> Evidence:
    """Arms that are alike but for what one user says of the candidate."""
    found = evidence(units, seed=4)
    users = ["loud" if number % 3 == 0 else f"user-{number % 20}" for number in range(units)]
    told = np.where((np.array(users) == "loud") & found.candidate, 1.0, found.outcome)
    told = np.where((np.array(users) == "loud") & ~found.candidate, 0.0, told)
    column = found.rows.column_names.index("outcome")
    return grouped(Evidence(found.rows.set_column(column, "outcome", pa.array(told)), {}), principal=list(users))


def by_language(german: tuple[float, float]) -> Evidence:
    """A candidate that is as good as the incumbent, but for German: means (candidate, incumbent) there."""
    whole, part = evidence(600, outcome=(0.5, 0.5)), evidence(300, outcome=german, seed=1)
    rows = pa.concat_tables([whole.rows, part.rows])
    languages = ['{"language":"en"}'] * 600 + ['{"language":"de"}'] * 300
    return grouped(Evidence(rows, {}), context_json=list(languages))


LATER = Conditions(predecessor_known=True, as_of=datetime(2026, 3, 20, tzinfo=UTC))


def started(found: Evidence, days_ago: list[float]) -> Evidence:
    """Units that started so many days before LATER, the list repeated."""
    assert LATER.as_of is not None
    times = [int((LATER.as_of.timestamp() - 86400 * days) * 1e6) for days in days_ago]
    count = found.rows.num_rows
    column = found.rows.column_names.index("start_us")
    values = pa.array([times[number % len(times)] for number in range(count)])
    return Evidence(found.rows.set_column(column, "start_us", values), {})


def silent(found: Evidence, candidates: int, incumbents: int) -> Evidence:
    """The same with so many runs of either arm, spread evenly, whose outcome nobody told."""
    sides = np.repeat([True, False], [candidates, incumbents])
    times = np.concatenate([np.linspace(0, 399, candidates), np.linspace(0, 399, incumbents)]).astype(int)
    return Evidence(found.rows, {}, pa.table({"start_us": times, "candidate": sides, "at_once": [1] * len(sides)}))


def identical(trials: int, promoted: int) -> Conditions:
    return Conditions(predecessor_known=True, identical=IdenticalArms(trials=trials, promoted=promoted, nominal=0.05))


CASES: list[tuple[str, Mapping[str, object], Evidence, Conditions, type]] = [
    ("superiority", {}, evidence(400, outcome=(0.8, 0.5)), FINE, Passed),
    ("superiority", {}, evidence(400, outcome=(0.3, 0.6)), FINE, Failed),
    ("superiority", {}, evidence(400, outcome=(0.53, 0.5)), FINE, Undecided),
    ("superiority", {}, evidence(0), FINE, Undecided),
    (
        "non_inferiority",
        {"margin": 0.1},
        evidence(2000, outcome=(0.7, 0.7), cost_usd=(0.01, 0.05)),
        FINE,
        Passed,
    ),
    ("non_inferiority", {"margin": 0.1}, evidence(600, outcome=(0.4, 0.8), cost_usd=(0.01, 0.05)), FINE, Failed),
    ("non_inferiority", {"margin": 0.1}, evidence(40, outcome=(0.7, 0.7), cost_usd=(0.01, 0.05)), FINE, Undecided),
    ("non_inferiority", {"margin": 0.1}, evidence(2000, outcome=(0.7, 0.7), cost_usd=(0.05, 0.01)), FINE, Undecided),
    ("non_inferiority", {"margin": 0.1}, evidence(2000, outcome=(0.7, 0.7), cost_usd=None), FINE, Undecided),
    ("guardrails", {"guardrails": (SLOW,)}, evidence(300, seconds=(6.0, 5.0)), FINE, Passed),
    ("guardrails", {"guardrails": (SLOW,)}, evidence(300, seconds=(15.0, 5.0)), FINE, Failed),
    ("guardrails", {"guardrails": (SLOW,)}, evidence(300, seconds=None), FINE, Undecided),
    ("guardrails", {"guardrails": (ERRORS, SLOW)}, evidence(300, error_rate=(0.4, 0.01)), FINE, Failed),
    ("within_reach", {}, evidence(200), FINE, Passed),
    ("within_reach", {}, evidence(2500), FINE, Failed),
    ("within_reach", {"max_units": 300}, evidence(300), FINE, Failed),
    ("within_reach", {}, evidence(2500, outcome=(0.55, 0.5)), FINE, Passed),
    ("worst_slice", {"slices": ("language",)}, by_language((0.5, 0.5)), FINE, Passed),
    ("worst_slice", {"slices": ("language",)}, by_language((0.3, 0.7)), FINE, Failed),
    ("worst_slice", {"slices": ("tenant",)}, by_language((0.3, 0.7)), FINE, Undecided),
    ("leave_one_out", {}, grouped(evidence(900, outcome=(0.8, 0.5)), day=["a", "b", "c"] * 300), FINE, Passed),
    ("leave_one_out", {}, mostly_one_day(400), FINE, Undecided),
    ("leave_one_out", {"may_dominate": ("day",)}, mostly_one_day(400), FINE, Passed),
    ("leave_one_out", {"may_dominate": ("principal",)}, mostly_one_day(400), FINE, Undecided),
    ("leave_one_out", {}, one_reporter(900), FINE, Undecided),
    ("leave_one_out", {}, grouped(evidence(400, outcome=(0.8, 0.5)), source=[None] * 400), FINE, Passed),
    ("leave_one_out", {}, evidence(40), FINE, Passed),
    ("evidence_fresh", {}, started(evidence(40), [1, 40, 80]), LATER, Passed),
    ("evidence_fresh", {}, started(evidence(40), [1, 100, 110]), LATER, Undecided),
    ("evidence_fresh", {}, started(evidence(40), [91, 100, 110]), LATER, Failed),
    ("evidence_fresh", {}, started(evidence(40), [1]), FINE, Undecided),
    ("outcomes_told", {}, evidence(400), FINE, Passed),
    ("outcomes_told", {}, silent(evidence(400), 40, 40), FINE, Passed),
    ("outcomes_told", {}, silent(evidence(400), 60, 2), FINE, Failed),
    ("outcomes_told", {}, silent(evidence(400), 2, 60), FINE, Failed),
    ("aa_healthy", {}, evidence(0), FINE, Passed),
    ("aa_healthy", {}, evidence(0), identical(200, 9), Passed),
    ("aa_healthy", {}, evidence(0), identical(200, 30), Undecided),
    ("assignment", {}, evidence(800), FINE, Passed),
    ("assignment", {}, evidence(800, split=0.35), FINE, Failed),
    ("incumbent_stands", {}, evidence(0), FINE, Passed),
    ("incumbent_stands", {}, evidence(0), Conditions(predecessor_known=True, incumbent_rolled_back=True), Failed),
    ("predecessor_restorable", {}, evidence(0), FINE, Passed),
    ("predecessor_restorable", {}, evidence(0), Conditions(predecessor_known=False), Undecided),
    ("approval", {"needs_approval": True}, evidence(0), Conditions(predecessor_known=True, approved=True), Passed),
    ("approval", {"needs_approval": True}, evidence(0), Conditions(predecessor_known=True, approved=False), Failed),
    ("approval", {"needs_approval": True}, evidence(0), FINE, Undecided),
]


@pytest.mark.parametrize(
    ("name", "changed", "found", "conditions", "expected"),
    CASES,
    ids=[f"{number}-{case[0]}-{case[4].__name__}" for number, case in enumerate(CASES)],
)
def test_a_criterion_answers(
    name: str, changed: Mapping[str, object], found: Evidence, conditions: Conditions, expected: type
):
    asked = registration(**changed)
    assert CRITERIA[name].applies(asked)
    assert isinstance(CRITERIA[name].check(Trial(asked, found, conditions)), expected)


@pytest.mark.parametrize(
    ("changed", "asked"),
    [
        ({}, {"superiority", "assignment", "incumbent_stands", "predecessor_restorable"}),
        ({"margin": 0.02}, {"non_inferiority", "assignment", "incumbent_stands", "predecessor_restorable"}),
        (
            {"guardrails": (ERRORS,), "needs_approval": True},
            {"superiority", "guardrails", "assignment", "incumbent_stands", "predecessor_restorable", "approval"},
        ),
    ],
)
def test_a_registration_asks_for_the_criteria_that_it_needs(changed: Mapping[str, object], asked: set[str]):
    assert set(rules(registration(**changed))) == asked
    always = {"within_reach", "leave_one_out", "evidence_fresh", "outcomes_told", "aa_healthy"}
    assert set(rules(registration(criteria=tuple(CRITERIA), **changed))) == asked | always


BETTER = evidence(400, outcome=(0.8, 0.5))
SAME = evidence(400, seed=3)


@pytest.mark.parametrize(
    ("changed", "found", "conditions", "kind", "words"),
    [
        ({}, BETTER, FINE, "promoted", "credibly better"),
        ({}, SAME, FINE, "held", "insufficient evidence: 400 units; superiority: not credibly better yet"),
        ({}, BETTER, Conditions(predecessor_known=False), "held", "publish it first"),
        ({"needs_approval": True}, BETTER, FINE, "held", "approval: waits for a person"),
        (
            {"guardrails": (ERRORS,)},
            evidence(400, outcome=(0.9, 0.5), error_rate=(0.4, 0)),
            FINE,
            "abandoned",
            "breached",
        ),
        ({"max_units": 400}, SAME, FINE, "abandoned", "undecided after 400 units"),
        ({"max_units": 400}, BETTER, FINE, "promoted", "credibly better"),
        ({"needs_approval": True}, BETTER, FINE, "held", "enough evidence: 400 units; approval: waits for a person"),
        ({"needs_approval": True}, SAME, FINE, "held", "insufficient evidence: 400 units"),
        ({"guardrails": (DEAR,)}, evidence(400, outcome=(0.8, 0.5), cost_usd=None), FINE, "held", "data/prices.yaml"),
    ],
)
def test_a_verdict_is_the_conjunction_of_all_criteria(
    changed: Mapping[str, object], found: Evidence, conditions: Conditions, kind: str, words: str
):
    verdict = judge(registration(**changed), found, conditions)
    assert verdict.kind == kind
    assert words in verdict.reason


def test_a_dominant_group_is_named_with_its_share_and_so_is_one_that_is_all_there_is():
    result = CRITERIA["leave_one_out"].check(Trial(registration(), mostly_one_day(400), FINE))
    stated = "where that is the traffic itself, state may_dominate: [day], which opens a new trial"
    assert result.reason == f"fragile: it hangs on day a (98% of the units); {stated}"
    whole = CRITERIA["leave_one_out"].check(Trial(registration(), grouped(BETTER, day=["a"] * 400), FINE))
    assert whole.reason.endswith("nothing to leave out where all are of one: principal, source, day a")


def test_promotion_and_the_shown_interval_agree():
    verdict = judge(registration(), BETTER, FINE)
    assert verdict.lower is not None
    assert verdict.e_value is not None
    assert verdict.lower > 0
    assert verdict.e_value >= 1 / 0.0125
