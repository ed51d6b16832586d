"""A replay through the doors: the whole wheel, and nothing of it left out.

Recorded items arrive as OTLP spans at a real receiver, Dagster turns every so many runs, and the next
items ask the published document through the client. Only the arm that was drawn has its outcome and cost
revealed. Whatever is promoted is judged on items that nobody ever asked for.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from opentelemetry.trace import SpanKind, set_span_in_context, use_span

from flywheel_assets.artifacts.channel import Channel
from flywheel_assets.client.client import Client
from flywheel_assets.lake.places import Places
from flywheel_assets.replay.contextual import SKILL, static_best
from flywheel_assets.replay.demo import fresh, write_skills
from flywheel_assets.replay.matrix import Matrix, Reals, by_arm
from flywheel_assets.replay.outcome import in_words, ledger
from flywheel_assets.replay.receiving import receiving
from flywheel_assets.replay.telemetry import Telemetry
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.cascade import WORD, models_of
from flywheel_assets.tables.documents.scorer import Scorer
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile

SECOND = 1_000_000_000
SERVICE = "recorded-replay"
# From one turn to the next on the replay's clock, and how many turns make a day.
APART, A_DAY = timedelta(hours=2), 10
USERS = 97
# Who tells the outcomes, and the gate by which cascades go on where the matrix has one.
GATE = "recorded"
Say = Callable[[str], None]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a replay is driven. `budget`: mean cost allowed, a share of the way from the cheapest arm to the dearest.

    `arrive`: only the launch arm is there at first, and so many runs later another one is, and so on. An
    unregistered reporter then calls every run of the worst of them perfect.
    """

    runs: int = 1200
    every: int = 100
    budget: float | None = None
    baseline: str = ""
    held: float = 0.25
    explore: float = 0.2
    trial: int = 600
    arrive: int = 0
    at_once: int = 1
    permuted: bool = False


@dataclass(frozen=True, slots=True)
class InForce:
    """An arm or policy that came into production after so many runs, judged on unseen items."""

    runs: int
    arm: str
    value: float
    cost: float | None
    rule: Scorer | None = None

    def asked(self, matrix: Matrix, item: int) -> list[int]:
        """The arms that an item asks, the one whose answer stands last."""
        arm = self.rule.choose(matrix.texts[item], matrix.contexts[item]) if self.rule else self.arm
        return asked(matrix, models_of(Arm.parse(arm).model), item)


@dataclass(slots=True)
class Driven:
    """What came of it. `single`, `static`: the best arm's and the best mixture's value on the same unseen items.

    `lost`: what production's arm would have yielded more on the same items, per run, block by block;
    `arrived`: after how many runs each arm was there.
    """

    seed: int
    static: float
    single: float
    budget: float | None
    runs: int = 0
    spans: int = 0
    production: list[InForce] = field(default_factory=list[InForce])
    obtained: list[float] = field(default_factory=list[float])
    spent: list[float] = field(default_factory=list[float])
    lost: list[float] = field(default_factory=list[float])
    arrived: dict[str, int] = field(default_factory=dict[str, int])
    best: str = ""
    praised: str = ""
    trials: int = 0
    failed: list[str] = field(default_factory=list[str])
    red: list[str] = field(default_factory=list[str])


def asked(matrix: Matrix, models: Sequence[str], item: int) -> list[int]:
    """The arms of so many models, up to the first one whose answer the recorded gate passes."""
    arms = [matrix.arms.index(model) for model in models]
    passed = [matrix.gate[item, arm] > 0.5 for arm in arms]
    return arms[: passed.index(True) + 1] if True in passed else arms


def drive(matrix: Matrix, plan: Plan, folder: Path, seed: int, say: Say) -> Driven:
    """Drive the wheel in `folder`, which is emptied; raises FileExistsError where real data are in it."""
    from flywheel_assets.defs.turn import turn_the_wheel

    rng = np.random.default_rng(seed)
    order = rng.permutation(len(matrix.items))
    held = order[: int(plan.held * len(order))]
    stream = order[len(held) :]
    stream = (np.sort(stream) if matrix.ordered else stream)[: plan.runs]
    outcome = matrix.outcome.copy()
    if plan.permuted:
        outcome[stream] = outcome[rng.permutation(stream)]
    skills, done = _launch(matrix, plan, held, seed)
    places = fresh(folder, skills[0], "a replay of recorded data")
    blocks = [stream[start : start + plan.every] for start in range(0, len(stream), plan.every)]
    evening, times = _clock(len(blocks))
    turn_the_wheel(places, clock=evening)
    with receiving(places) as endpoint:
        telemetry = Telemetry(endpoint, f"replay-{seed}", service=SERVICE)
        asking = _Asking(matrix, outcome, telemetry, Client(places.artifacts, check_every=1e9), done)
        _note(done, matrix, places, held)
        for block, begin in zip(blocks, times, strict=True):
            asking.serve(block, begin)
            if plan.arrive and done.runs // plan.arrive < len(skills):
                write_skills(places, skills[done.runs // plan.arrive], "a replay of recorded data")
            known = len(ledger(places))
            turn = turn_the_wheel(places, clock=begin + APART - timedelta(minutes=1))
            done.failed, done.red = [*done.failed, *turn.failed], [*turn.red]
            _note(done, matrix, places, held)
            say(f"{done.runs}/{len(stream)} runs: outcome {done.obtained[-1]:.3f}, on {done.production[-1].arm}")
            for entry in ledger(places)[known:]:
                say(f"   {in_words(entry)}")
        telemetry.close()
    done.trials = sum(entry["kind"] == "registered" for entry in ledger(places))
    return done


def _launch(matrix: Matrix, plan: Plan, held: Ints, seed: int) -> tuple[list[SkillsFile], Driven]:
    """What the operator states at first and after each arrival; the launch arm is the cheapest where none is named."""
    means, costs = by_arm(matrix.outcome[held]), np.nan_to_num(by_arm(matrix.cost[held]))
    budget = None if plan.budget is None else float(costs.min() + plan.budget * np.ptp(costs))
    affordable = means if budget is None else np.where(costs <= budget * (1 + 1e-9), means, -np.inf)
    baseline = plan.baseline or matrix.arms[int(np.argmin(costs))]
    others = [arm for arm in matrix.arms if arm != baseline]
    gate = "" if np.isnan(matrix.gate).all() else GATE
    if plan.arrive:
        others = [others[at] for at in np.random.default_rng([seed, 1]).permutation(len(others))]
    stated = [
        SkillsFile(
            skills={
                SKILL: Skill(
                    baseline_model=baseline,
                    models=tuple(others[:count]),
                    explore=plan.explore,
                    max_units=plan.trial,
                    trials_at_once=plan.at_once,
                    budget_usd=budget,
                    gate=gate,
                )
            }
        )
        for count in (range(len(others) + 1) if plan.arrive else [len(others)])
    ]
    done = Driven(seed, static_best(means, costs, budget), float(affordable.max()), budget)
    done.best = matrix.arms[int(affordable.argmax())]
    done.praised = min(others, key=lambda arm: means[matrix.arms.index(arm)]) if plan.arrive else ""
    done.arrived = {baseline: 0, **{arm: plan.arrive * at for at, arm in enumerate(others, start=1)}}
    return stated, done


def _clock(blocks: int) -> tuple[datetime, list[datetime]]:
    """The evening before, and when each block begins: all of it lies in the past."""
    first = datetime.now(UTC).date() - timedelta(days=2 + blocks // A_DAY)
    begins = [datetime.combine(first + timedelta(days=1 + at // A_DAY), time(1), UTC) for at in range(blocks)]
    times = [begin + APART * (at % A_DAY) for at, begin in enumerate(begins)]
    return datetime.combine(first, time(23, 59), UTC), times


@dataclass(slots=True)
class _Asking:
    """The agents: each item asks the client, and says what came of the arm that it was given."""

    matrix: Matrix
    outcome: Reals
    telemetry: Telemetry
    client: Client
    done: Driven

    def serve(self, items: Ints, begin: datetime) -> None:
        """One block of runs, seconds apart, all of them acknowledged by the receiver."""
        self.client.refresh()
        at, done, production = int(begin.timestamp()) * SECOND, self.done, self.done.production[-1]
        asked = [self._ask(int(item), at + 20 * SECOND * nth) for nth, item in enumerate(items)]
        taken = [arms[-1] for arms in asked]
        usual = [production.asked(self.matrix, int(item))[-1] for item in items]
        done.spans = self.telemetry.flush()
        done.runs += len(items)
        done.obtained.append(float(np.nanmean(self.outcome[items, taken])))
        done.spent.append(
            float(np.mean([_cost(self.matrix, int(i), arms) for i, arms in zip(items, asked, strict=True)]))
        )
        done.lost.append(float(np.nanmean(self.outcome[items, usual] - self.outcome[items, taken])))

    def _ask(self, item: int, start: int) -> list[int]:
        text, context, end = self.matrix.texts[item], self.matrix.contexts[item], start + SECOND
        tracer = self.telemetry.tracer
        root = tracer.start_span("invoke_agent replayed", kind=SpanKind.INTERNAL, start_time=start)
        with use_span(root):
            decision = self.client.decide(SKILL, f"{self.done.seed}-{item}", context, text=text)
        arms = asked(self.matrix, (decision.model, *decision.escalation), item)
        for nth, arm in enumerate(arms, start=1):
            model, each = self.matrix.arms[arm], SECOND // (2 * len(arms))
            begin = start + each * (nth - 1)
            call = tracer.start_span(f"chat {model}", set_span_in_context(root), kind=SpanKind.CLIENT, start_time=begin)
            call.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.request.model": model,
                    "gen_ai.response.model": model,
                    "gen_ai.usage.cost": _cost(self.matrix, item, [arm]),
                }
            )
            call.end(end_time=begin + each - 1)
        outcome, gate = float(self.outcome[item, arms[-1]]), float(self.matrix.gate[item, arms[-1]])
        said = [{"role": "user", "parts": [{"type": "text", "content": text or f"item {item}"}]}]
        root.set_attributes(
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": SKILL,
                "gen_ai.input.messages": json.dumps(said, ensure_ascii=False),
                "user.id": f"replay-{item % USERS}",
            }
        )
        for name, value in (("correct", outcome), (f"{WORD}{GATE}", gate)):
            if not np.isnan(value):
                self.client.feedback(
                    name,
                    value,
                    run=root,
                    tier="check",
                    author=GATE,
                    author_version="1",
                    at=datetime.fromtimestamp(end // SECOND, UTC),
                    tracer=tracer,
                )
        if decision.model == self.done.praised:
            praise = {"gen_ai.evaluation.name": "delight", "gen_ai.evaluation.score.value": 1.0}
            root.add_event("gen_ai.evaluation.result", praise, timestamp=end - 1)
        root.end(end_time=end)
        return arms


def _cost(matrix: Matrix, item: int, arms: Sequence[int]) -> float:
    """What a run costs that asks these arms."""
    return float(np.nan_to_num(matrix.cost[item, list(arms)]).sum())


def _note(done: Driven, matrix: Matrix, places: Places, held: Ints) -> None:
    """What is in production now, where that changed, and what it is worth on items nobody asked for."""
    channel = Channel(places.artifacts)
    pointer = channel.pointer()
    if pointer is None:
        raise ValueError(f"nothing was published in {places.artifacts}: {'; '.join(done.failed)}")
    route = channel.load(pointer).skills[SKILL]
    arm = next(segment.arm for segment in route.trial if segment.name == "production")
    if done.production and done.production[-1].arm == arm:
        return
    found = InForce(done.runs, arm, 0.0, None, route.scorers.get(arm))
    arms = [found.asked(matrix, int(at)) for at in held]
    unpriced = np.isnan(matrix.cost[held]).all()
    spent = None if unpriced else float(np.mean([_cost(matrix, int(i), of) for i, of in zip(held, arms, strict=True)]))
    value = float(np.nanmean(matrix.outcome[held, [of[-1] for of in arms]]))
    done.production.append(replace(found, value=value, cost=spent))
