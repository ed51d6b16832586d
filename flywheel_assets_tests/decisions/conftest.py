"""A small world for decisions: one skill, a ledger that grows, and runs that were drawn by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from flywheel_assets.decisions.decide import Decided, Inputs, decide
from flywheel_assets.decisions.rollout import rollout
from flywheel_assets.lake.session import connection
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES

START = datetime(2026, 3, 1, tzinfo=UTC)
INCUMBENT, CANDIDATE, OTHER = "old|-|-", "new|-|-", "other|-|-"
Row = dict[str, object]


def run(number: int, at: datetime, **columns: object) -> Row:
    """An admitted run of skill 'triage' that everything is right with."""
    return {
        "day": at.date(),
        "run_id": f"run-{number:06d}",
        "trace_id": f"trace-{number:06d}",
        "root_span_id": f"span-{number:06d}",
        "runtime": "gen_ai",
        "start_time": at,
        "skill": "triage",
        "unit_id": f"unit-{number:06d}",
        "propensity": 0.4,
        "status": "ok",
        "duration_ns": 10**9,
        "cost_usd": 0.01,
        "example_id": f"run-{number:06d}",
        "grain": "run",
        "outcome": 1.0,
        "outcome_state": "labeled",
        "confidence": 1.0,
        "weight": 1.0,
        "labelers": [],
        "votes": 1,
        "dissent": 0,
        "redacted": False,
        "remarks": [],
    } | columns


def proposal(arm: str = CANDIDATE, incumbent: str = INCUMBENT, **columns: object) -> Row:
    """A proposed routing candidate."""
    return {
        "candidate_id": f"{arm}-{incumbent}",
        "skill": "triage",
        "arm": arm,
        "model": arm.split("|", maxsplit=1)[0],
        "incumbent_arm": incumbent,
        "effective_n": 50.0,
        "state": "proposed",
        "reason": "promising",
        "rank": 1,
    } | columns


@dataclass
class World:
    """What the wheel around decisions would hold."""

    skill: Skill = field(default_factory=lambda: Skill(baseline_model="old", models=("new", "other")))
    routing: list[Row] = field(default_factory=lambda: [proposal()])
    prompts: list[Row] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    approvals: dict[str, bool] = field(default_factory=dict)
    rollbacks: dict[str, str] = field(default_factory=dict)
    runs: list[Row] = field(default_factory=list)
    now: datetime = START
    ledger: pa.Table = field(default_factory=PROMOTION_DECISIONS.empty)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))

    def inputs(self) -> Inputs:
        """As a turn reads it."""
        con = connection()
        con.register("gated_observations", GATED_OBSERVATIONS.rows(self.runs))
        return Inputs(
            ledger=self.ledger,
            routing_candidates=ROUTING_CANDIDATES.rows(self.routing),
            prompt_candidates=PROMPT_CANDIDATES.rows(self.prompts),
            con=con,
            skills=SkillsFile(skills={"triage": self.skill}),
            now=self.now,
            manifest={"tables": {"gated_observations": 3}, "code": "1"},
            prompts=self.texts,
            approvals=self.approvals,
            rollbacks=self.rollbacks,
        )

    def turn(self) -> Decided:
        """Decide, and keep the entries."""
        self.now += timedelta(hours=1)
        decided = decide(self.inputs())
        self.ledger = pa.concat_tables([self.ledger, decided.entries])
        return decided

    def entries(self) -> list[dict[str, object]]:
        """The ledger as dictionaries."""
        return self.ledger.to_pylist()

    def last(self) -> dict[str, object]:
        """The newest entry."""
        return self.entries()[-1]

    def draw(self, count: int, success: Mapping[str, float], **columns: object) -> None:
        """Runs drawn as the open trials say, or by the holdout's share where none is open."""
        state = rollout(self.ledger, SkillsFile(skills={"triage": self.skill}))["triage"]
        for _ in range(count):
            self.now += timedelta(seconds=10)
            if self.rng.random() < 0.05:
                drawn: Row = {"segment": "holdout", "arm": state.baseline_arm, "propensity": 0.05}
            elif not state.trials:
                drawn = {"segment": "production", "arm": state.production_arm, "propensity": 0.95}
            else:
                trial = state.trials[int(self.rng.integers(len(state.trials)))]
                canary = self.rng.random() < trial.canary_share / (trial.canary_share + trial.incumbent_share)
                drawn = {
                    "segment": "canary" if canary else "production",
                    "arm": trial.candidate_arm if canary else trial.incumbent_arm,
                    "propensity": trial.canary_share / len(state.trials) if canary else trial.incumbent_share,
                    "experiment_id": "+".join(one.experiment_id for one in state.trials),
                }
            outcome = float(self.rng.random() < success[str(drawn["arm"])])
            self.runs.append(run(len(self.runs), self.now, **drawn, outcome=outcome, **columns))


@pytest.fixture
def world() -> World:
    """Nothing tried yet; the arm 'new' is proposed."""
    return World()


@pytest.fixture
def promoted() -> Callable[..., World]:
    """A world in which 'new' was promoted on good evidence."""

    def build(skill: Skill | None = None) -> World:
        made = World() if skill is None else World(skill=skill)
        made.turn()
        made.draw(250, {INCUMBENT: 0.3, CANDIDATE: 0.9})
        made.turn()
        made.routing = []
        assert made.last()["kind"] == "promoted"
        return made

    return build
