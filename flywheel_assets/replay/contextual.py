"""A replay of the contextual learner: bandit feedback in, a published policy every so many runs.

In memory, by the functions and documents that the wheel uses: the client draws from the document
that the learner made, and only what it drew is revealed.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flywheel_assets.candidates.routing.budget import price_for
from flywheel_assets.candidates.routing.contextual import Feedback, Model, Penalties, fit
from flywheel_assets.candidates.routing.features import Asked, Lens, lens
from flywheel_assets.candidates.routing.onboarding import explore_shares
from flywheel_assets.candidates.routing.scored import chosen_by, policy_arm, scorer
from flywheel_assets.client.policy import Route, load_policy, prompt_path
from flywheel_assets.replay.matrix import Matrix, Reals
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.routing import RoutingDocument, Segment, SkillRoute, prompt_version
from flywheel_assets.tables.documents.scorer import Scorer

SKILL = "replayed"
Say = Callable[[str], None]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a replay is run. `budget`: mean cost allowed, as a share of the way from the cheapest arm to the dearest."""

    budget: float | None = None
    every: int = 100
    explore: float = 0.1
    held: float = 0.25
    permuted: bool = False


@dataclass(slots=True)
class Log:
    """What was revealed."""

    item: list[int] = field(default_factory=list[int])
    arm: list[int] = field(default_factory=list[int])
    propensity: list[float] = field(default_factory=list[float])


@dataclass(frozen=True, slots=True)
class Artifact:
    """One published policy, judged on items that no artifact saw: its value and its mean cost."""

    runs: int
    policy_id: str
    value: float
    cost: float
    served_cost: float
    obtained: float


@dataclass(frozen=True, slots=True)
class Replayed:
    """One replay: every artifact, and what the last learner would do at other prices."""

    seed: int
    artifacts: tuple[Artifact, ...]
    frontier: tuple[tuple[float, float], ...]
    static: float
    budget: float | None
    means: tuple[float, ...]
    costs: tuple[float, ...]


def replay(matrix: Matrix, settings: Settings, seed: int) -> Replayed:
    """Replay a matrix once."""
    rng = np.random.default_rng(seed)
    asked = Asked.of(matrix.texts, matrix.contexts)
    order = rng.permutation(len(matrix.items))
    held = order[: int(settings.held * len(order))]
    stream = order[len(held) :]
    # Where items have a time, they arrive by it; what is judged on was never seen either way.
    stream = np.sort(stream) if matrix.ordered else stream
    outcome = matrix.outcome.copy()
    if settings.permuted:
        outcome[stream] = outcome[rng.permutation(stream)]
    return _Replay(matrix, settings, asked, outcome, stream, held, seed).run()


@dataclass(slots=True)
class _Replay:
    matrix: Matrix
    settings: Settings
    asked: Asked
    outcome: Reals
    stream: Ints
    held: Ints
    seed: int
    log: Log = field(default_factory=Log)
    view: tuple[int, Lens, Penalties | None] | None = None
    model: Model | None = None

    def run(self) -> Replayed:
        """All of the stream."""
        names = [str(Arm(model=arm)) for arm in self.matrix.arms]
        costs = np.nan_to_num(np.nanmean(self.matrix.cost[self.stream], axis=0))
        budget = self._budget(costs)
        cheapest = int(np.argmin(costs))
        first = self.settings.explore if budget is None else max(self.settings.explore, self.settings.budget or 0.0)
        route = _route(names[cheapest], {}, {name: min(first, 0.5) for name in names if name != names[cheapest]}, 0)
        artifacts: list[Artifact] = []
        for start in range(0, len(self.stream), self.settings.every):
            obtained, spent = self._serve(ready(route), self.stream[start : start + self.settings.every], names)
            seen = start + self.settings.every
            rule, explore = self._learn(names, costs, budget, seen)
            key = policy_arm(rule)
            route = _route(key, {key: rule}, explore, seen)
            value, cost = self._judge(chosen_by(rule, self.asked.take(self.held)), names)
            artifacts.append(Artifact(min(seen, len(self.stream)), key, value, cost, spent, obtained))
        means = self.matrix.outcome[self.held].mean(axis=0)
        return Replayed(
            self.seed,
            tuple(artifacts),
            self._frontier(costs),
            static_best(means, self.matrix.cost[self.held].mean(axis=0), budget),
            budget,
            tuple(means.tolist()),
            tuple(costs.tolist()),
        )

    def _budget(self, costs: Reals) -> float | None:
        if self.settings.budget is None:
            return None
        return float(costs.min() + self.settings.budget * np.ptp(costs))

    def _serve(self, route: Route, items: Ints, names: list[str]) -> tuple[float, float]:
        """Each item asks the route; only what it says is revealed. Mean outcome and cost."""
        began = len(self.log.item)
        for item in items:
            text, context = self.matrix.texts[item], self.matrix.contexts[item]
            choice = route.choose(f"{self.seed}-{item}", text, context)
            self.log.item.append(int(item))
            self.log.arm.append(names.index(str(choice.arm)))
            self.log.propensity.append(choice.propensity or 1.0)
        rows, arms = self.log.item[began:], self.log.arm[began:]
        return float(np.nanmean(self.outcome[rows, arms])), float(np.nanmean(self.matrix.cost[rows, arms]))

    def _learn(
        self, names: list[str], costs: Reals, budget: float | None, seen: int
    ) -> tuple[Scorer, dict[str, float]]:
        items, arms = np.array(self.log.item), np.array(self.log.arm)
        asked = self.asked.take(items)
        feedback = Feedback(asked, arms, self.outcome[items, arms], np.array(self.log.propensity))
        # Lens and penalties are chosen anew when the evidence has doubled: between, only weights move.
        if self.view is None or len(items) >= 2 * self.view[0]:
            self.view = (len(items), lens(asked), None)
        model = fit(feedback, names, self.view[1], self.view[2])
        self.view = (self.view[0], self.view[1], model.penalties)
        explore = explore_shares(model, asked, self.settings.explore, seed=seen)
        left = 1 - sum(explore.values())
        spent = sum(share * costs[names.index(name)] for name, share in explore.items())
        allowed = None if budget is None else (budget - float(spent)) / left
        priced = price_for(model.predict(asked), costs, allowed)
        self.model = model
        return scorer(model, costs, priced.price * costs), explore

    def _judge(self, chosen: list[str], names: list[str]) -> tuple[float, float]:
        arms = np.array([names.index(arm) for arm in chosen])
        return self._mean(arms)

    def _frontier(self, costs: Reals) -> tuple[tuple[float, float], ...]:
        """Two arms: share of the dearer one → value, with the last model."""
        if self.model is None or len(costs) != 2:
            return ()
        value = self.model.predict(self.asked.take(self.held))
        return tuple(self._judge_at(value, costs, share) for share in np.linspace(0, 1, 21).tolist())

    def _judge_at(self, value: Reals, costs: Reals, share: float) -> tuple[float, float]:
        """Two arms: the dearer one for the `share` of items where it promises most."""
        dear, cheap = int(np.argmax(costs)), int(np.argmin(costs))
        arms = np.full(len(value), cheap)
        arms[np.argsort(value[:, cheap] - value[:, dear], kind="stable")[: round(share * len(value))]] = dear
        return float(share), self._mean(arms)[0]

    def _mean(self, arms: Ints) -> tuple[float, float]:
        return float(np.nanmean(self.matrix.outcome[self.held, arms])), float(
            np.nanmean(self.matrix.cost[self.held, arms])
        )


def static_best(means: Reals, costs: Reals, budget: float | None) -> float:
    """The best mixture of two arms in hindsight that keeps to the budget, on the very items judged on."""
    if budget is None:
        return float(means.max())
    best = float(means[costs <= budget * (1 + 1e-9)].max(initial=-np.inf))
    for low in range(len(means)):
        for high in range(len(means)):
            if costs[low] <= budget < costs[high]:
                share = (budget - costs[low]) / (costs[high] - costs[low])
                best = max(best, float(means[low] + share * (means[high] - means[low])))
    return best


def _route(production: str, scorers: dict[str, Scorer], explore: dict[str, float], salt: int) -> SkillRoute:
    segments = [Segment(name="explore", arm=arm, share=share) for arm, share in explore.items() if share > 0]
    rest = 1 - sum(segment.share for segment in segments)
    trial = (Segment(name="production", arm=production, share=rest), *segments)
    return SkillRoute(salt="fixed", fixed=(), trial_salt=f"explore {salt}", trial=trial, scorers=scorers)


def ready(route: SkillRoute, texts: Sequence[str] = ()) -> Route:
    """As an agent loads it: from the bytes of the documents, by the client's own code."""
    content = RoutingDocument(version=1, skills={SKILL: route}).model_dump_json(by_alias=True).encode()
    pointer = {"policy_id": "replayed", "path": "document", "sha256": hashlib.sha256(content).hexdigest()}
    documents = {prompt_path(SKILL, prompt_version(text)): json.dumps({"text": text}).encode() for text in texts} | {
        "document": content
    }
    return load_policy(json.dumps(pointer).encode(), documents.__getitem__).routes[SKILL]
