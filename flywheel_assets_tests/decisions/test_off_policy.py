"""Off-policy: estimates equal their formulas, intervals cover, and what cannot be told is refused with its reason."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from flywheel_assets.decisions.off_policy.direct import direct, modelled
from flywheel_assets.decisions.off_policy.doubly_robust import doubly_robust
from flywheel_assets.decisions.off_policy.evaluate import evaluate
from flywheel_assets.decisions.off_policy.ips import ips
from flywheel_assets.decisions.off_policy.logged import Estimated, Logged, Refused
from flywheel_assets.decisions.off_policy.routes import with_counterfactuals
from flywheel_assets.decisions.off_policy.snips import snips
from flywheel_assets.lake.session import connection
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES
from flywheel_assets_tests.decisions.conftest import CANDIDATE, INCUMBENT, World, proposal

KINDS = 3
# Success by kind of request and arm: no arm is best for every kind.
TRUTH = np.array([[0.9, 0.5, 0.2], [0.3, 0.6, 0.5], [0.4, 0.4, 0.8]])
TARGET = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
LOGGER = np.array([[0.2, 0.4, 0.4], [0.5, 0.3, 0.2], [0.4, 0.4, 0.2]])


def log(seed: int, runs: int = 600, logger: np.ndarray = LOGGER, target: np.ndarray = TARGET) -> Logged:
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, KINDS, runs)
    action = (rng.random(runs)[:, None] > np.cumsum(logger[kind], axis=1)).sum(axis=1)
    return Logged(
        action=action,
        reward=(rng.random(runs) < TRUTH[kind, action]).astype(float),
        propensity=logger[kind, action],
        target=target[kind],
        keep=np.ones(runs),
        features=np.eye(KINDS)[kind],
        cluster=np.arange(runs),
        supported=np.ones(runs, dtype=bool),
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_estimators_are_their_formulas(seed: int) -> None:
    one = log(seed, 200)
    weights = [one.target[i, one.action[i]] / one.propensity[i] for i in range(200)]
    total = sum(w * r for w, r in zip(weights, one.reward, strict=True))
    assert ips(one).value == pytest.approx(total / 200, abs=1e-9)
    assert snips(one).value == pytest.approx(total / sum(weights), abs=1e-9)
    ratio = total / sum(weights)
    squares = sum((w * (r - ratio)) ** 2 for w, r in zip(weights, one.reward, strict=True))
    assert snips(one).error == pytest.approx(squares**0.5 / sum(weights), abs=1e-9)
    rewards = modelled(one, 5)
    values = [sum(one.target[i, a] * rewards[i, a] for a in range(3)) for i in range(200)]
    assert direct(one, rewards).value == pytest.approx(np.mean(values), abs=1e-9)
    residuals = [weights[i] * (one.reward[i] - rewards[i, one.action[i]]) for i in range(200)]
    assert doubly_robust(one, rewards).value == pytest.approx(np.mean(np.add(values, residuals)), abs=1e-9)


def test_the_reward_model_is_that_of_scikit_learn_on_the_other_folds() -> None:
    one = log(4, 300)
    found = modelled(one, 5)
    for held in range(5):
        rows = one.cluster % 5 == held
        middle = one.reward[~rows].mean()
        design = np.column_stack([one.features, np.eye(3)[one.action]])
        ridge = Ridge(alpha=1.0, fit_intercept=False).fit(design[~rows], one.reward[~rows] - middle)
        for action in range(3):
            asked = np.column_stack([one.features[rows], np.tile(np.eye(3)[action], (rows.sum(), 1))])
            expected = np.clip(middle + ridge.predict(asked), 0, 1)
            np.testing.assert_allclose(found[rows, action], expected, atol=1e-9)


def test_intervals_cover_a_known_truth() -> None:
    truth = float((TARGET * TRUTH).sum(axis=1).mean())
    inside = {"snips": 0, "doubly_robust": 0, "ips": 0, "sequence": 0}
    errors = {"snips": 0.0, "doubly_robust": 0.0, "ips": 0.0}
    for seed in range(200):
        found = evaluate(log(seed))
        assert isinstance(found, Estimated)
        for name in errors:
            value = getattr(found, name)
            inside[name] += abs(value.value - truth) <= 1.96 * value.error
            errors[name] += value.error / 200
        assert found.sequence is not None
        inside["sequence"] += found.sequence[0] <= truth <= found.sequence[1]
    assert min(inside.values()) >= 0.9 * 200
    assert errors["doubly_robust"] < errors["ips"]


def changed(one: Logged, **columns: object) -> Logged:
    return Logged(**({name: getattr(one, name) for name in Logged.__slots__} | columns))


NEVER = np.array([[0.5, 0.5, 0.0]] * 3)
ALWAYS_THIRD = np.array([[0.0, 0.0, 1.0]] * 3)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (log(0, 0), "no run with an outcome"),
        (changed(log(0), propensity=np.full(600, np.nan)), "no run says with which probability"),
        (changed(log(0), propensity=np.ones(600)), "chosen with certainty"),
        (log(0, logger=NEVER, target=ALWAYS_THIRD), "has no run of this arm"),
        (changed(log(0), supported=np.zeros(600, dtype=bool)), "has no run of this arm"),
        (log(0, 60), "too little overlap"),
        (changed(log(0), propensity=np.where(np.arange(600) == 3, 1e-7, 0.5)), "too little overlap"),
    ],
    ids=["empty", "no-propensity", "deterministic", "never-taken", "unsupported", "few", "one-huge-weight"],
)
def test_what_the_log_cannot_tell_is_refused(one: Logged, words: str) -> None:
    found = evaluate(one)
    assert isinstance(found, Refused)
    assert words in found.reason


def test_sampled_traces_count_for_those_that_were_dropped() -> None:
    whole = log(1, 4000)
    # Failures are kept one time in four.
    keep = np.where(whole.reward > 0, 1.0, 0.25)
    kept = np.random.default_rng(2).random(4000) < keep
    found = evaluate(changed(whole, keep=keep).only(kept))
    truth = float((TARGET * TRUTH).sum(axis=1).mean())
    assert isinstance(found, Estimated)
    assert found.sequence is None
    assert abs(found.snips.value - truth) < 4 * found.snips.error
    naive = evaluate(whole.only(kept))
    assert isinstance(naive, Estimated)
    assert naive.snips.value - truth > 4 * naive.snips.error


@pytest.fixture
def routed(world: World) -> Callable[..., list[dict[str, object]]]:
    def build(**columns: object) -> list[dict[str, object]]:
        world.turn()
        world.draw(400, {INCUMBENT: 0.4, CANDIDATE: 0.8})
        offered = json.dumps({INCUMBENT: 0.5, CANDIDATE: 0.5})
        rows = [row | {"propensity": 0.5} | columns for row in world.runs]
        con = connection()
        con.register("gated_observations", GATED_OBSERVATIONS.rows(rows))
        runs = [{"run_id": row["run_id"], "candidate_set": offered} for row in rows]
        con.register("agent_runs", AGENT_RUNS.rows(runs))
        candidates = [proposal(CANDIDATE), proposal(INCUMBENT), proposal("never|-|-")]
        return with_counterfactuals(ROUTING_CANDIDATES.rows(candidates), con).to_pylist()

    return build


def test_every_candidate_carries_its_estimate_or_why_there_is_none(routed: Callable) -> None:
    candidate, incumbent, never = routed()
    assert candidate["off_policy_lower"] < 0.8 < candidate["off_policy_upper"]
    assert incumbent["off_policy_lower"] < 0.4 < incumbent["off_policy_upper"]
    assert candidate["off_policy_lower"] > incumbent["off_policy_upper"]
    assert never["off_policy_value"] is None
    assert "no run of this arm" in never["off_policy"]


def test_without_propensities_every_candidate_is_refused(routed: Callable) -> None:
    assert {row["off_policy"] for row in routed(propensity=None)} == {
        "not identifiable: no run says with which probability its arm was chosen"
    }
