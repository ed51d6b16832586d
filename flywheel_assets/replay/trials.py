"""A replay through the decisions: arms without context, tried and promoted as the wheel does.

In memory, one turn every so many runs, by the wheel's own functions: day statistics, scores,
proposals, the ledger's verdicts, the routing document, the client's draw. Spans, the receiver and
Dagster are left out; the simulated fleet of `replay/demo.py` goes through them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from flywheel_assets.artifacts.exploring import dominated
from flywheel_assets.artifacts.policies import known_policies
from flywheel_assets.artifacts.prompts import waiting
from flywheel_assets.artifacts.routing import routing_document
from flywheel_assets.candidates.prompts.incumbent import IncumbentPrompt
from flywheel_assets.candidates.prompts.search import with_variants
from flywheel_assets.candidates.prompts.written import Checked
from flywheel_assets.candidates.routing.policies import in_production, with_policies
from flywheel_assets.candidates.routing.propose import propose_routes
from flywheel_assets.client.policy import Choice
from flywheel_assets.decisions.decide import Inputs, decide
from flywheel_assets.decisions.rollout import SkillState, rollout
from flywheel_assets.replay.contextual import SKILL, ready
from flywheel_assets.replay.matrix import Matrix
from flywheel_assets.scores.day_stats import day_stats
from flywheel_assets.scores.score import score
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.routing import RoutingDocument, prompt_version
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES
from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS

START = datetime(2026, 1, 1, tzinfo=UTC)
# Of the proposals' draws, as in the wheel.
SEED = 0


@dataclass(slots=True)
class Wheel:
    """The wheel's stages from observations to the document, for one skill. A turn closes a day."""

    skills: SkillsFile
    document: RoutingDocument | None = None
    ledger: pa.Table = field(default_factory=PROMOTION_DECISIONS.empty)
    observations: list[pa.Table] = field(default_factory=list[pa.Table])
    stats: list[pa.Table] = field(default_factory=list[pa.Table])
    variants: Sequence[Checked] = ()
    prompts: pa.Table = field(default_factory=PROMPT_CANDIDATES.empty)

    def turn(self, now: datetime) -> RoutingDocument:
        """Scores, proposals, verdicts, and the document that follows."""
        states = rollout(self.ledger, self.skills)
        arms, rules = {name: state.production_arm for name, state in states.items()}, known_policies(self.ledger)
        scores = score(pa.concat_tables([SKILL_DAY_STATS.empty(), *self.stats]), now.date())
        self.prompts = self._prompts(states, scores)
        with duckdb.connect() as con:
            for table in (GATED_OBSERVATIONS, LABELED_EXAMPLES, AGENT_RUNS):
                con.register(table.name, pa.concat_tables([table.empty(), *self._rows(table.names)]))
            known = in_production(con, self.skills, arms, rules)
            proposed = propose_routes(scores, self.skills, arms, SEED, known)
            routes = with_policies(proposed, con, self.skills, rules)
            found = decide(
                Inputs(
                    ledger=self.ledger,
                    routing_candidates=routes,
                    prompt_candidates=self.prompts,
                    con=con,
                    skills=self.skills,
                    now=now,
                    manifest={},
                )
            )
        self.ledger = pa.concat_tables([self.ledger, found.entries])
        states = rollout(self.ledger, self.skills)
        self.document = routing_document(
            states,
            self.skills,
            self.document,
            policies=known_policies(self.ledger),
            waiting=waiting(self.prompts),
            dominated=dominated(routes),
        )
        return self.document

    def _prompts(self, states: Mapping[str, SkillState], scores: pa.Table) -> pa.Table:
        """The variants as candidates against what is in production; nothing is compiled in a replay."""
        arms = {name: Arm.parse(state.production_arm) for name, state in states.items()}
        incumbents = {name: IncumbentPrompt(arm.prompt_version, "", str(arm)) for name, arm in arms.items()}
        tried = {Arm.parse(arm).prompt_version for arm in self.ledger["candidate_arm"].to_pylist()}
        return with_variants(PROMPT_CANDIDATES.empty(), self.variants, incumbents, frozenset(tried), scores)

    def observe(self, rows: list[dict[str, object]], at: datetime) -> None:
        """A day's runs, each admitted with the outcome that was revealed."""
        self.observations.append(_facts(rows))
        with duckdb.connect() as con:
            for table in (GATED_OBSERVATIONS, LABELED_EXAMPLES):
                con.register(table.name, table.conform(self.observations[-1].select(table.names)))
            self.stats.append(day_stats(con, at.date())[0])

    def _rows(self, names: tuple[str, ...] | list[str]) -> list[pa.Table]:
        return [day.select(list(names)) for day in self.observations]


@dataclass(frozen=True, slots=True)
class Picked:
    """What came of a replay: the arm in production at the end, its true value, and how it got there.

    `lost`: what production's arm is worth more than the arm that was drawn, per run. `wait`: runs from the arrival
    of the best arm to its promotion; None where it was not promoted.
    """

    seed: int
    runs: int
    arm: str
    value: float
    baseline: float
    best: float
    promotions: tuple[tuple[int, str, float], ...]
    trials: int
    obtained: float
    lost: float
    wait: int | None
    curve: tuple[float, ...]

    @property
    def wrong(self) -> int:
        """Promotions to an arm whose recorded value is not above its predecessor's."""
        before = [self.baseline, *(value for _, _, value in self.promotions)]
        return sum(now <= then for then, (_, _, now) in zip(before, self.promotions, strict=False))


@dataclass(slots=True)
class _Course:
    """What has come of a replay so far: `worth` is each arm's true value, `now` the arm in production."""

    worth: dict[str, float]
    now: str
    curve: list[float] = field(default_factory=list[float])
    promotions: list[tuple[int, str, float]] = field(default_factory=list[tuple[int, str, float]])
    total: float = 0.0
    lost: float = 0.0

    def turn(self, at: int, production: str) -> None:
        if production != self.now:
            self.now = production
            self.promotions.append((at, production, self.worth[production]))

    def run(self, rows: Sequence[dict[str, object]]) -> None:
        self.curve.append(self.worth[self.now])
        self.total += sum(float(str(row["outcome"])) for row in rows)
        self.lost += sum(self.worth[self.now] - self.worth[str(row["arm"])] for row in rows)


def replay_trials(  # noqa: PLR0913, PLR0917 - what is replayed, and how
    matrix: Matrix,
    skill: Skill,
    runs: int,
    seed: int,
    every: int = 100,
    texts: Sequence[str] = (),
    arrive: int = 0,
) -> Picked:
    """Replay for so many runs; items are repeated where there are fewer, rates are drawn from.

    With `texts` the matrix's arms are prompts of the skill's one model: variants, of which one was there at launch.
    With `arrive` the skill's models come one by one, in an order by chance, each so many runs after the one before.
    """
    rng = np.random.default_rng(seed)
    models = tuple(skill.models[at] for at in rng.permutation(len(skill.models))) if arrive else skill.models
    wheel = Wheel(SkillsFile(skills={SKILL: skill}), variants=_variants(texts))
    truth, names = np.nanmean(matrix.outcome, axis=0), _names(matrix, skill, wheel.variants)
    launch = rollout(wheel.ledger, wheel.skills)[SKILL].production_arm
    course = _Course({arm: float(truth[at]) for arm, at in names.items()}, launch)
    items = _arrivals(matrix, runs, rng)
    for day, start in enumerate([*range(0, runs, every), runs]):
        morning = START + timedelta(days=day)
        if arrive:
            wheel.skills = SkillsFile(skills={SKILL: skill.model_copy(update={"models": models[: start // arrive]})})
        route = ready(wheel.turn(morning).skills[SKILL], texts)
        course.turn(start, rollout(wheel.ledger, wheel.skills)[SKILL].production_arm)
        rows = [
            _run(matrix, route.choose(f"{seed}-{nth}"), nth, morning + timedelta(seconds=at), items[nth], names, rng)
            for at, nth in enumerate(range(start, min(start + every, runs)), start=1)
        ]
        if rows:
            course.run(rows)
            wheel.observe([row for row in rows if row["outcome"] == row["outcome"]], morning)
    best = int(truth.argmax())
    arrived = arrive * (models.index(matrix.arms[best]) + 1) if arrive and matrix.arms[best] in models else 0
    return Picked(
        seed,
        runs,
        course.now,
        course.worth[course.now],
        course.worth[launch],
        float(truth.max()),
        tuple(course.promotions),
        wheel.ledger.column("kind").to_pylist().count("registered"),
        course.total / runs,
        course.lost / runs,
        next((at - arrived for at, arm, _ in course.promotions if names[arm] == best), None),
        tuple(course.curve),
    )


def _run(  # noqa: PLR0913, PLR0917 - everything that one run touches
    matrix: Matrix,
    choice: Choice,
    nth: int,
    start: datetime,
    item: int,
    names: Mapping[str, int],
    rng: np.random.Generator,
) -> dict[str, object]:
    at = names[str(choice.arm)]
    rate = matrix.outcome[item, at]
    outcome = float(rng.random() < rate) if matrix.rates else float(rate)
    return _row(choice, nth, start, outcome, float(matrix.cost[item, at]))


def _variants(texts: Sequence[str]) -> list[Checked]:
    return [Checked(SKILL, prompt_version(text), prompt_version(text), text, None) for text in texts]


def _names(matrix: Matrix, skill: Skill, variants: Sequence[Checked]) -> dict[str, int]:
    """Arm → column of the matrix."""
    prompts = [Arm(model=skill.baseline_model, prompt_version=one.version) for one in variants]
    return {str(arm): at for at, arm in enumerate(prompts or [Arm(model=arm) for arm in matrix.arms])}


def _arrivals(matrix: Matrix, runs: int, rng: np.random.Generator) -> list[int]:
    count = len(matrix.items)
    if matrix.ordered:
        return [nth % count for nth in range(runs)]
    return [int(item) for _ in range(-(-runs // count)) for item in rng.permutation(count)][:runs]


def _row(choice: Choice, nth: int, start: datetime, outcome: float, cost: float) -> dict[str, object]:
    return {
        "run_id": f"run-{nth:07d}",
        "start_time": start,
        "day": start.date(),
        "arm": choice.arm,
        "model": choice.model,
        "experiment_id": choice.experiment_id,
        "segment": choice.segment,
        "propensity": choice.propensity,
        "unit_id": f"unit-{nth}",
        "principal_id": f"user-{nth % 97}",
        "outcome": outcome,
        "cost_usd": None if cost != cost else cost,  # noqa: PLR0124 - NaN: not recorded
    }


_ALIKE: dict[str, object] = {
    "skill": SKILL,
    "runtime": "gen_ai",
    "root_span_id": "0",
    "status": "ok",
    "duration_ns": 1_000_000_000,
    "grain": "run",
    "outcome_state": "labeled",
    "confidence": 1.0,
    "weight": 1.0,
    "tier": "check",
    "labelers": ["recorded"],
    "votes": 1,
    "dissent": 0,
    "redacted": False,
    "remarks": [],
    "skill_source": "flywheel",
    "attempts": 1,
    "attempts_never_ran": 0,
    "traces": 1,
    "spans": 1,
    "llm_calls": 1,
    "tool_calls": 0,
    "tool_errors": 0,
}


def _facts(rows: list[dict[str, object]]) -> pa.Table:
    """Every column that a later stage may read, as the stages before would have written it."""
    whole = [{**_ALIKE, **row, "trace_id": row["run_id"], "example_id": row["run_id"]} for row in rows]
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    for table in (AGENT_RUNS, LABELED_EXAMPLES, GATED_OBSERVATIONS):
        made = table.rows([{name: row.get(name) for name in table.names} for row in whole])
        columns |= {name: made.column(name) for name in table.names}
    return pa.table(columns)
