"""A trial's registration: everything that must be said before its data exist."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from flywheel_assets.tables.documents.skills_file import Grouping, Guardrail


class Registration(BaseModel):
    """One comparison of a candidate with the incumbent on concurrent, randomised traffic.

    Frozen: changing anything is a new registration.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment_id: str
    skill: str
    kind: Literal["routing", "prompt"]
    candidate_arm: str
    incumbent_arm: str
    metric: Literal["outcome"] = "outcome"
    margin: float = Field(ge=0, description="0: superiority; above: non-inferiority of a cheaper arm")
    canary_share: float = Field(
        gt=0, lt=1, description="Share of the trial draw for candidates; those on trial share it evenly"
    )
    incumbent_share: float = Field(gt=0, lt=1, description="Share of the trial draw in segment production")
    guardrails: tuple[Guardrail, ...]
    alpha: float = Field(gt=0, description="Error budget allotted to this trial by e-LOND")
    position: int = Field(ge=1, description="Position in the stream of all trials")
    max_units: int = Field(gt=0)
    needs_approval: bool
    shadow: bool = Field(default=False, description="Whether it has no traffic until a person lets it begin")
    registered_at: datetime
    criteria: tuple[str, ...] = Field(
        default=(), description="Criteria to meet; none named: those of the first version"
    )
    slices: tuple[str, ...] = Field(default=(), description="Context keys by whose values harm is looked for")
    may_dominate: tuple[Grouping, ...] = Field(default=(), description="Groups of which a large one is not left out")
    evidence_days: int = Field(default=90, gt=0, description="Evidence older than this many days is stale")
    design_effects: tuple[float, ...] = Field(
        default=(), description="Differences beyond the margin that part of the bets aims at, at max_units or before"
    )
    candidate_id: str = Field(description="Row of routing_candidates or prompt_candidates")
