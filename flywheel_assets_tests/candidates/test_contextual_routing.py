"""The contextual learner finds what is there, and what is published chooses as the model does."""

import numpy as np
import pytest

from flywheel_assets.candidates.routing.budget import TOLERANCE, price_for
from flywheel_assets.candidates.routing.cascade import Audited, Cascade, best, cascades, gated
from flywheel_assets.candidates.routing.contextual import MOST_WEIGHT, Feedback, fit, weights
from flywheel_assets.candidates.routing.features import Asked, lens
from flywheel_assets.candidates.routing.onboarding import explore_shares
from flywheel_assets.candidates.routing.scored import chosen_by, policy_arm, scorer

WORDS = ("ferry", "bridge", "market", "river", "tram")
ARMS = ("cheap|-|-", "dear|-|-")


def requests(n: int, seed: int) -> tuple[Asked, list[str], list[dict[str, str]], np.ndarray]:
    """Half of the requests are proofs, at which only the dear arm is good."""
    rng = np.random.default_rng(seed)
    hard = rng.random(n) < 0.5
    texts = [f"{'prove' if one else 'say'} {' '.join(rng.choice(WORDS, 6))} {at}" for at, one in enumerate(hard)]
    contexts = [{"tier": str(rng.choice(["a", "b"]))} for _ in texts]
    return Asked.of(texts, contexts, 256), texts, contexts, hard


def learned(n: int = 1500, seed: int = 0, arms: int = 2):
    rng = np.random.default_rng(seed)
    asked, texts, contexts, hard = requests(n, seed)
    arm = rng.integers(arms, size=n)
    rate = np.where(arm == 1, 0.9, np.where(hard, 0.2, 0.9) - 0.6 * (arm > 1))
    feedback = Feedback(asked, arm, (rng.random(n) < rate).astype(float), np.full(n, 1 / arms))
    names = (*ARMS, *(f"weak-{at}|-|-" for at in range(arms - 2)))
    return fit(feedback, names, lens(asked, 8)), asked, texts, contexts, hard


def test_the_dear_arm_gets_the_requests_at_which_it_is_better():
    model, asked, *_, hard = learned()
    gain = model.predict(asked)[:, 1] - model.predict(asked)[:, 0]
    assert gain[hard].mean() > 0.5
    assert abs(gain[~hard].mean()) < 0.1
    assert model.predict(asked)[:, 0][hard].mean() == pytest.approx(0.2, abs=0.15)


def test_what_is_published_chooses_as_the_model_and_as_the_document_says():
    model, asked, texts, contexts, _ = learned()
    cost = np.array([0.1, 1.0])
    priced = price_for(model.predict(asked), cost, 0.5)
    rule = scorer(model, cost, priced.price * cost)
    chosen = chosen_by(rule, asked)
    assert chosen == [rule.choose(text, context) for text, context in zip(texts, contexts, strict=True)]
    assert np.mean([arm == ARMS[at] for arm, at in zip(chosen, priced.chosen, strict=True)]) > 0.99
    assert policy_arm(rule).startswith("scored/")


def numbered(n: int, seed: int, dimensions: int = 40):
    """Requests whose embedding lies in one of two directions, of which the dear arm is good at one alone."""
    rng = np.random.default_rng(seed)
    hard = rng.random(n) < 0.5
    toward = np.random.default_rng(1).normal(size=dimensions)
    drawn = rng.normal(size=(n, dimensions)) + np.where(hard, 1.0, -1.0)[:, None] * toward
    contexts = [{"embedding": row.tolist(), "spent": float(rng.integers(9))} for row in drawn]
    arm = rng.integers(2, size=n)
    rate = np.where(arm == 1, 0.9, np.where(hard, 0.2, 0.9))
    asked = Asked.of([""] * n, contexts)
    feedback = Feedback(asked, arm, (rng.random(n) < rate).astype(float), np.full(n, 0.5))
    return fit(feedback, ARMS, lens(asked)), asked, contexts, hard


def test_an_embedding_tells_requests_apart_and_the_published_rule_reads_it_alike():
    model, asked, contexts, hard = numbered(800, 5)
    rule = scorer(model, np.array([0.1, 1.0]), np.array([0.1, 0.4]))
    chosen = chosen_by(rule, asked)
    assert chosen == [rule.choose("", context) for context in contexts]
    assert np.mean([(arm == ARMS[1]) == one for arm, one in zip(chosen, hard, strict=True)]) > 0.95
    assert np.allclose(model.predict(asked) - model.predict(asked)[:, :1], _apart(rule, contexts, model), atol=1e-3)
    later, contexts, hard = numbered(200, 6)[1:]
    chosen = chosen_by(rule, later)
    assert np.mean([(arm == ARMS[1]) == one for arm, one in zip(chosen, hard, strict=True)]) > 0.95


def _apart(rule, contexts, model):
    """By the published rule, how far each arm is above the first, without what arms cost."""
    charge = {ARMS[0]: 0.1, ARMS[1]: 0.4}
    place = [[one.arm for one in rule.arms].index(arm) for arm in model.arms]
    scores = np.array([rule.scores("", context) for context in contexts])[:, place] + [charge[arm] for arm in ARMS]
    return scores - scores[:, :1]


def test_a_number_that_is_absent_or_no_number_says_nothing_and_one_far_off_no_more_than_its_reach():
    model, *_ = numbered(800, 5)
    rule = scorer(model, np.zeros(2), np.zeros(2))
    middle = list(rule.numbers["embedding"].centre)
    said = [{}, {"embedding": None}, {"embedding": middle[:-1]}, {"embedding": [*middle[:-1], float("nan")]}]
    assert {tuple(rule.scores("", one)) for one in said} == {tuple(rule.scores("", {"embedding": middle}))}
    far, farther = (rule.scores("", {"spent": one}) for one in (1e9, 10**400))
    assert far != rule.scores("", {"spent": rule.numbers["spent"].centre[0]}) == farther
    odd = Asked.of(["", "", ""], [{"embedding": middle[:-1]}, {"embedding": "near"}, {"spent": True}])
    assert np.allclose(model.predict(odd), model.predict(odd)[0])


@pytest.mark.parametrize("budget", [0.15, 0.3, 0.5, 0.9, 2.0])
def test_the_budget_holds_on_requests_to_come(budget):
    model, asked, *_ = learned()
    cost = np.array([0.1, 1.0])
    priced = price_for(model.predict(asked), cost, budget)
    later = requests(4000, 77)[0]
    spent = cost[(model.predict(later) - priced.price * cost).argmax(axis=1)].mean()
    assert priced.cost <= budget * (1 + TOLERANCE)
    assert spent <= budget * 1.02 + 2 * 0.45 / np.sqrt(4000)


def test_a_budget_below_every_arm_gets_the_cheapest():
    value = np.array([[0.1, 0.9], [0.2, 0.8]])
    assert price_for(value, np.array([1.0, 2.0]), 0.5).chosen.tolist() == [0, 0]


def test_outcomes_dealt_out_anew_teach_nothing():
    rng = np.random.default_rng(3)
    asked, *_, hard = requests(1500, 3)
    arm = rng.integers(2, size=1500)
    outcome = rng.permutation((rng.random(1500) < np.where((arm == 0) & hard, 0.2, 0.9)).astype(float))
    model = fit(Feedback(asked, arm, outcome, np.full(1500, 0.5)), ARMS, lens(asked, 8))
    gain = model.predict(asked)[:, 1] - model.predict(asked)[:, 0]
    assert abs(gain[hard].mean() - gain[~hard].mean()) < 0.06


def test_exploration_leaves_arms_that_are_worse_everywhere_and_stays_within_what_is_allowed():
    model, asked, *_ = learned(2400, arms=4)
    shares = explore_shares(model, asked, 0.2, seed=1)
    assert sum(shares.values()) <= 0.2
    assert not any(arm.startswith("weak") for arm in shares)
    assert sum(explore_shares(learned(200, arms=4)[0], requests(200, 0)[0], 0.2, seed=1).values()) > sum(
        shares.values()
    )


def test_inverse_propensities_are_cut():
    found = weights(np.array([1.0] * 99 + [0.001]))
    assert found.mean() == pytest.approx(1)
    assert found.max() / found.min() == pytest.approx(MOST_WEIGHT * (99 + 1000) / 100)


def test_a_gate_is_judged_by_its_audited_answers_alone():
    rng = np.random.default_rng(0)
    passed = (rng.random(4000) < 0.8).astype(float)
    right = np.where(rng.random(4000) < 0.1, (rng.random(4000) < 0.9) * passed, np.nan)
    found = gated([Audited("a", passed, np.full(4000, 0.001), right)])[0]
    assert found.lower <= 0.9 <= found.upper
    assert found.precision == pytest.approx(0.9, abs=0.05)
    assert found.right_when_failed == pytest.approx(0.0, abs=0.03)
    assert found.audited == int((~np.isnan(right)).sum())


def test_escalation_pays_and_the_budget_decides_how_often():
    answers = [
        Audited(name, (np.arange(1000) % 10 < ten).astype(float), np.full(1000, cost), np.tile(truth, 100))
        for name, ten, cost, truth in (
            ("cheap", 8, 0.001, np.r_[np.ones(8), np.zeros(2)]),
            ("dear", 10, 0.01, np.r_[np.ones(9), np.zeros(1)]),
        )
    ]
    options = cascades(gated(answers))
    free, tight = best(options, None), best(options, 0.002)
    assert free is not None
    assert free.usual.arms == ("cheap", "dear")
    assert free.usual.cost == pytest.approx(0.001 + 0.2 * 0.01)
    assert tight is not None
    assert tight.cost <= 0.002 + 1e-12
    assert 0 < tight.share < 1
    assert best([Cascade(("a",), 0.5, 1.0)], 0.5) is None
