"""The routing document that agents load, and how a decision is drawn from it."""

import hashlib
import json
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flywheel_assets.tables.documents.scorer import PREFIX, Scorer

SEGMENTS = Literal["holdout", "frozen", "explore", "canary", "production"]


class Segment(BaseModel):
    """A share of a draw and the arm it gets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: SEGMENTS
    arm: str = Field(description="'model|prompt version|tool schema'")
    share: float = Field(gt=0, le=1)


class SkillRoute(BaseModel):
    """Two draws by unit id: first `fixed` with `salt`, then, where that hits nothing, `trial`.

    The first draw never changes, so a unit in the holdout stays there. The second is salted anew by
    each experiment, so that one trial's groups are not the next one's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    salt: str
    fixed: tuple[Segment, ...] = Field(description="Shares of all units; what they leave goes to `trial`")
    trial_salt: str
    trial: tuple[Segment, ...] = Field(description="Shares of the rest; they add up to 1")
    experiment_id: str | None = Field(default=None, description="The registrations in progress, joined by '+'")
    fallbacks: tuple[str, ...] = Field(default=(), description="Models to fall back on, in order")
    scorers: dict[str, Scorer] = Field(
        default_factory=dict[str, Scorer],
        exclude_if=lambda scorers: not scorers,
        description="Rules of the arms 'scored/<hash>|…': such an arm stands for the one that its rule chooses",
    )

    @model_validator(mode="after")
    def shares_add_up(self) -> Self:
        """Fixed shares stay below 1, trial shares are a distribution, and every scored arm has its rule."""
        without = [s.arm for s in (*self.fixed, *self.trial) if s.arm.startswith(PREFIX) and s.arm not in self.scorers]
        if without:
            raise ValueError(f"no scorer for {', '.join(without)}")
        fixed, trial = sum(s.share for s in self.fixed), sum(s.share for s in self.trial)
        if fixed >= 1 or abs(trial - 1) > 1e-9:
            message = f"fixed shares must be below 1 (got {fixed}) and trial shares add up to 1 (got {trial})"
            raise ValueError(message)
        return self


class RoutingDocument(BaseModel):
    """Which arm each skill's units get. `policy_id` is 'routing-' and the hash's first 12 digits."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["flywheel.routing/1"] = Field(default="flywheel.routing/1", alias="schema")
    version: int = Field(ge=1)
    parent: str | None = Field(default=None, description="policy_id of the version before")
    skills: dict[str, SkillRoute]

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical JSON: sorted keys, no spaces, UTF-8."""
        return content_hash(self.model_dump(by_alias=True, mode="json"))

    @property
    def policy_id(self) -> str:
        """What decisions made from this document carry as flywheel.policy.id."""
        return f"routing-{self.content_hash[:12]}"


class PromptDocument(BaseModel):
    """One prompt, as agents load it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["flywheel.prompt/1"] = Field(default="flywheel.prompt/1", alias="schema")
    skill: str
    version: str = Field(description="First 12 hex digits of the text's SHA-256")
    parent: str | None = None
    text: str
    source_run_ids: tuple[str, ...] = ()


def content_hash(document: object) -> str:
    """SHA-256 of a JSON document in canonical form: sorted keys, no spaces, UTF-8."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def prompt_version(text: str) -> str:
    """The version of a prompt is its text: the first 12 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def draw(salt: str, skill: str, unit_id: str) -> float:
    """A number in [0, 1) that depends on nothing else: 53 bits of SHA-256 of 'salt, skill, unit'.

    The three parts are joined by line feeds and encoded as UTF-8; the first 8 bytes, big-endian,
    are shifted right by 11 and divided by 2^53.
    """
    digest = hashlib.sha256(f"{salt}\n{skill}\n{unit_id}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53
