"""`skills.yaml`: what the operator states about each skill — its baseline, its models, its limits."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from flywheel_assets.tables.documents.anchors import SHARE
from flywheel_assets.tables.documents.cascade import GATE

# Gates that are never on trial: what fails their rules is no evidence, what they mark must not be stored, and a
# person's word counts.
ALWAYS_ENFORCED = ("schema", "completeness", "secrets", "personal_data", "review")

Grouping = Literal["principal", "source", "day"]


class Provenance(BaseModel):
    """What is taken for evidence: what is not in a list is held, and an empty list allows anything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tiers: tuple[Literal["human", "check", "outcome", "judge", "heuristic"], ...] = Field(
        default=(), description="Whose word decides an outcome"
    )
    services: tuple[str, ...] = Field(default=(), description="service.name of the run's root span")
    sources: tuple[str, ...] = Field(default=(), description="Where it came in: `source` of landed_batches")

    def allowed(self) -> dict[str, tuple[str, ...]]:
        """By what is limited, in the singular, what is allowed."""
        stated = {"tier": self.tiers, "service": self.services, "source": self.sources}
        return {name: some for name, some in stated.items() if some}


class Guardrail(BaseModel):
    """A metric that must not credibly get worse by more than `max_increase` during a trial."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str = Field(pattern="^(error_rate|cost_usd|seconds)$")
    max_increase: float = Field(ge=0, description="Absolute increase allowed, in the metric's own unit")
    ceiling: float = Field(default=1.0, gt=0, description="Values are cut at this, so that the test is bounded")


class Skill(BaseModel):
    """One skill: where it starts, what may be tried, and what a dollar is worth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    baseline_model: str = Field(min_length=1, description="Model in production at launch; the holdout stays on it")
    baseline_prompt: str = Field(default="", description="Prompt text in production at launch")
    file: str = Field(
        default="",
        description="agents/*.md or SKILL.md that carries the prompt, relative to this file's folder; it gets patches",
    )
    models: tuple[str, ...] = Field(default=(), description="Further models that may be tried")
    holdout: float = Field(default=0.05, ge=0, le=0.5, description="Share that stays on the launch baseline")
    frozen: float = Field(
        default=0.05,
        ge=0,
        le=0.5,
        description="Share kept on the first promoted arm, once production has moved past it",
    )
    explore: float = Field(default=0.10, ge=0, le=0.5, description="Share spread evenly over arms not in production")
    canary: float = Field(
        default=0.40, gt=0, le=0.5, description="Share of a trial's traffic; the incumbent gets at least as much"
    )
    cost_weight: float = Field(default=0.0, ge=0, description="Outcome that one USD is worth")
    second_weight: float = Field(default=0.0, ge=0, description="Outcome that one second of a run is worth")
    budget_usd: float | None = Field(
        default=None, gt=0, description="Mean cost of a run that a contextual policy or a cascade must keep to"
    )
    gate: str = Field(
        default="",
        pattern=f"^({GATE})?$",
        description="Check whose word agents post as feedback 'flywheel.gate.<gate>'; cascades escalate where it fails",
    )
    margin: float = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="A cheaper arm may be promoted when it is credibly no worse than this; 0: it must be better",
    )
    guardrails: tuple[Guardrail, ...] = ()
    slices: tuple[str, ...] = Field(
        default=(), description="Keys of flywheel.context; no value of theirs may be credibly harmed by a promotion"
    )
    evidence_days: int = Field(default=90, gt=0, description="A verdict rests mostly on evidence no older than this")
    trials_at_once: int = Field(
        default=1, ge=1, le=8, description="Candidates tried at the same time; they share `canary` evenly"
    )
    max_units: int = Field(default=4000, gt=0, description="A trial undecided after so many units is abandoned")
    may_dominate: tuple[Grouping, ...] = Field(
        default=(), description="principal, source, day: where one with 75 % of a trial's units need not be left out"
    )
    outcome_horizon_hours: float | None = Field(
        default=None, ge=0, description="How long after a run its outcome may still come; without it, the file's"
    )
    needs_approval: bool = Field(default=False, description="Whether a person must approve before promotion")
    shadow: bool = Field(default=False, description="Whether a trial has no traffic until a person lets it begin")


class SkillsFile(BaseModel):
    """All skills, and the error budget they share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    skills: dict[str, Skill] = Field(default_factory=dict)
    names: dict[Annotated[str, Field(min_length=1)], Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict,
        description="What telemetry calls an agent, workflow, function, root span or service → the skill it is; "
        "for runs that do not name theirs. * and ? match",
    )
    shadow: tuple[str, ...] = Field(
        default=(), description="Gates on trial: their verdicts are logged and refuse nothing (view gate_shadow)"
    )
    provenance: Provenance = Provenance()
    alpha: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="Probability-like budget for false promotions over "
        "the whole stream of trials (false discovery rate)",
    )
    anchor_share: float = Field(
        default=SHARE, gt=0, le=1, description="Share of runs, drawn by their ids, that people are asked about"
    )
    outcome_horizon_hours: float = Field(
        default=24.0, ge=0, description="An outcome may still come for this long, where a skill states nothing else"
    )

    @field_validator("shadow")
    @classmethod
    def only_opinions_are_on_trial(cls, gates: tuple[str, ...]) -> tuple[str, ...]:
        """What keeps data whole or private cannot be switched off."""
        if kept := sorted(set(gates) & set(ALWAYS_ENFORCED)):
            raise ValueError(f"{', '.join(kept)}: always enforced, cannot be on trial")
        return gates

    @model_validator(mode="after")
    def shares_leave_room(self) -> Self:
        """Holdout, frozen, explore, canary and an equal incumbent share fit into all traffic."""
        for name, skill in self.skills.items():
            fixed = skill.holdout + skill.frozen
            if fixed > 0.5 or 2 * skill.canary + skill.explore > 1:
                message = f"skill {name}: holdout + frozen must be ≤ 0.5 and 2 × canary + explore ≤ 1"
                raise ValueError(message)
        return self
