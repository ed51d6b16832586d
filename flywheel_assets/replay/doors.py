"""A replay through the doors: the whole wheel, and nothing of it left out.

Recorded items arrive as OTLP spans at a real receiver, Dagster turns every so many runs, and the next
items ask the published document through the client. Only the arm that was drawn has its outcome and cost
revealed. Whatever is promoted is judged on items that nobody ever asked for.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from opentelemetry.trace import SpanKind, set_span_in_context, use_span

from flywheel_assets.artifacts.channel import Channel
from flywheel_assets.client.client import Client
from flywheel_assets.lake.places import Places
from flywheel_assets.replay.contextual import SKILL, static_best
from flywheel_assets.replay.demo import fresh
from flywheel_assets.replay.matrix import Matrix, Reals
from flywheel_assets.replay.outcome import in_words, ledger
from flywheel_assets.replay.receiving import receiving
from flywheel_assets.replay.telemetry import Telemetry
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile

SECOND = 1_000_000_000
SERVICE = "recorded-replay"
# From one turn to the next on the replay's clock, and how many turns make a day.
APART, A_DAY = timedelta(hours=2), 10
USERS = 97
Say = Callable[[str], None]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a replay is driven. `budget`: mean cost allowed, a share of the way from the cheapest arm to the dearest."""

    runs: int = 1200
    every: int = 100
    budget: float | None = None
    baseline: str = ""
    held: float = 0.25
    explore: float = 0.2
    trial: int = 600
    permuted: bool = False


@dataclass(frozen=True, slots=True)
class InForce:
    """An arm or policy that came into production after so many runs, judged on unseen items."""

    runs: int
    arm: str
    value: float
    cost: float | None


@dataclass(slots=True)
class Driven:
    """What came of it. `arms`: the best single arm's value on the same unseen items; `static`: the best mixture's."""

    seed: int
    static: float
    single: float
    budget: float | None
    runs: int = 0
    spans: int = 0
    production: list[InForce] = field(default_factory=list[InForce])
    obtained: list[float] = field(default_factory=list[float])
    spent: list[float] = field(default_factory=list[float])
    trials: int = 0
    failed: list[str] = field(default_factory=list[str])
    red: list[str] = field(default_factory=list[str])


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
    means, costs = np.nanmean(matrix.outcome[held], axis=0), np.nan_to_num(np.nanmean(matrix.cost[held], axis=0))
    budget = None if plan.budget is None else float(costs.min() + plan.budget * np.ptp(costs))
    affordable = means if budget is None else means[costs <= budget * (1 + 1e-9)]
    done = Driven(seed, static_best(means, costs, budget), float(affordable.max()), budget)
    places = fresh(folder, SkillsFile(skills={SKILL: _skill(matrix, plan, costs, budget)}), "a replay of recorded data")
    blocks = [stream[start : start + plan.every] for start in range(0, len(stream), plan.every)]
    first = datetime.now(UTC).date() - timedelta(days=2 + len(blocks) // A_DAY)
    times = [
        datetime.combine(first + timedelta(days=1 + at // A_DAY), time(1), UTC) + APART * (at % A_DAY)
        for at in range(len(blocks))
    ]
    turn_the_wheel(places, clock=datetime.combine(first, time(23, 59), UTC))
    with receiving(places) as endpoint:
        asking = _Asking(matrix, outcome, Telemetry(endpoint, f"replay-{seed}", service=SERVICE), places, seed)
        _note(done, matrix, places, held)
        for block, begin in zip(blocks, times, strict=True):
            asking.serve(block, begin, done)
            known = len(ledger(places))
            turn = turn_the_wheel(places, clock=begin + APART - timedelta(minutes=1))
            done.failed += turn.failed
            done.red = [*turn.red]
            _note(done, matrix, places, held)
            say(f"{done.runs}/{len(stream)} runs: outcome {done.obtained[-1]:.3f}, on {done.production[-1].arm}")
            for entry in ledger(places)[known:]:
                say(f"   {in_words(entry)}")
        asking.telemetry.close()
    done.trials = sum(entry["kind"] == "registered" for entry in ledger(places))
    return done


def _skill(matrix: Matrix, plan: Plan, costs: Reals, budget: float | None) -> Skill:
    """The launch arm is the cheapest, where none is named."""
    baseline = plan.baseline or matrix.arms[int(np.argmin(costs))]
    return Skill(
        baseline_model=baseline,
        models=tuple(arm for arm in matrix.arms if arm != baseline),
        explore=plan.explore,
        max_units=plan.trial,
        budget_usd=budget,
    )


@dataclass(slots=True)
class _Asking:
    """The agents: each item asks the client, and says what came of the arm that it was given."""

    matrix: Matrix
    outcome: Reals
    telemetry: Telemetry
    places: Places
    seed: int
    client: Client | None = None

    def serve(self, items: Ints, begin: datetime, done: Driven) -> None:
        """One block of runs, seconds apart, all of them acknowledged by the receiver."""
        self.client = self.client or Client(self.places.artifacts, check_every=1e9)
        self.client.refresh()
        at = int(begin.timestamp()) * SECOND
        told = [self._ask(self.client, int(item), at + 20 * SECOND * nth) for nth, item in enumerate(items)]
        done.spans = self.telemetry.flush()
        done.runs += len(items)
        done.obtained.append(float(np.nanmean([outcome for outcome, _ in told])))
        done.spent.append(float(np.mean([cost for _, cost in told])))

    def _ask(self, client: Client, item: int, start: int) -> tuple[float, float]:
        text, context, end = self.matrix.texts[item], self.matrix.contexts[item], start + SECOND
        tracer = self.telemetry.tracer
        root = tracer.start_span("invoke_agent replayed", kind=SpanKind.INTERNAL, start_time=start)
        with use_span(root):
            decision = client.decide(SKILL, f"{self.seed}-{item}", context, text=text)
        arm = self.matrix.arms.index(decision.model)
        outcome, cost = float(self.outcome[item, arm]), float(np.nan_to_num(self.matrix.cost[item, arm]))
        call = tracer.start_span(
            f"chat {decision.model}", set_span_in_context(root), kind=SpanKind.CLIENT, start_time=start
        )
        call.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": decision.model,
                "gen_ai.response.model": decision.model,
                "gen_ai.usage.cost": cost,
            }
        )
        call.end(end_time=end - 1)
        said = [{"role": "user", "parts": [{"type": "text", "content": text or f"item {item}"}]}]
        root.set_attributes(
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": SKILL,
                "gen_ai.input.messages": json.dumps(said, ensure_ascii=False),
                "user.id": f"replay-{item % USERS}",
            }
        )
        if not np.isnan(outcome):
            when = datetime.fromtimestamp(end // SECOND, UTC)
            client.feedback(
                "correct",
                outcome,
                run=root,
                tier="check",
                author="recorded",
                author_version="1",
                at=when,
                tracer=tracer,
            )
        root.end(end_time=end)
        return outcome, cost


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
    rule = route.scorers.get(arm)
    chosen = [rule.choose(matrix.texts[at], matrix.contexts[at]) if rule else arm for at in held]
    places_of = {str(Arm(model=name)): at for at, name in enumerate(matrix.arms)}
    taken = np.array([places_of[name] for name in chosen])
    cost = matrix.cost[held, taken]
    spent = None if np.isnan(cost).all() else float(np.nanmean(cost))
    done.production.append(InForce(done.runs, arm, float(np.nanmean(matrix.outcome[held, taken])), spent))
