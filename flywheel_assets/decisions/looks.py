"""What a ledger entry records beside its evidence, so that its verdict can be derived again."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from flywheel_assets.decisions.canonical import canonical
from flywheel_assets.decisions.trial import Conditions
from flywheel_assets.tables.documents.scorer import Scorer


class CandidateSeen(BaseModel):
    """The candidate's row when it was registered; `policy` is the rule of a contextual one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate_id: str
    support: float
    reason: str
    off_policy: str | None = None
    policy: Scorer | None = None


class LookManifest(BaseModel):
    """The caller's manifest (table versions, code, configuration, seed) and one of these.

    `candidate` at a registration, `conditions` at a look at a trial, `since` at a look at a promotion,
    with `asked_by` where a person asked for its rollback.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    candidate: CandidateSeen | None = None
    conditions: Conditions | None = None
    since: datetime | None = None
    asked_by: str | None = None


def manifest_json(manifest: Mapping[str, object], look: LookManifest) -> str:
    """Both in canonical form."""
    return canonical({**manifest, **look.model_dump(mode="json", exclude_none=True)})
