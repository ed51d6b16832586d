"""A skill's rollout as the artifacts stage sees it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from flywheel_assets.artifacts.evidence import Grounds
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Rollout:
    baseline_arm: str = "north/small|-|-"
    production_arm: str = "north/small|-|-"
    first_promoted_arm: str | None = None
    trials: tuple[Registration, ...] = ()


def registration(
    candidate: str, incumbent: str, canary: float = 0.4, share: float = 0.5, name: str = "exp-1"
) -> Registration:
    return Registration(
        experiment_id=name,
        skill="triage",
        kind="routing",
        candidate_arm=candidate,
        incumbent_arm=incumbent,
        margin=0,
        canary_share=canary,
        incumbent_share=share,
        guardrails=(),
        alpha=0.05,
        position=1,
        max_units=4000,
        needs_approval=False,
        registered_at=NOW,
        candidate_id="c",
    )


@pytest.fixture
def skills() -> SkillsFile:
    return SkillsFile(skills={"triage": Skill(baseline_model="north/small", models=("north/large", "south/mid"))})


@pytest.fixture
def grounds() -> Grounds:
    return Grounds(ledger=PROMOTION_DECISIONS.empty(), versions={"promotion_decisions": 3}, at=NOW)


@pytest.fixture(scope="session")
def rollout() -> type[Rollout]:
    return Rollout


@pytest.fixture(scope="session")
def register():
    return registration
