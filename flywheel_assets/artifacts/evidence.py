"""The manifest beside each document: which ledger entries and which table versions it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.routing import PromptDocument


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a publication rests on: the ledger, the lake's table versions, and when it is made."""

    ledger: pa.Table
    versions: Mapping[str, int]
    at: datetime


class Evidence(BaseModel):
    """What a published document rests on."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["flywheel.evidence/1"] = Field(default="flywheel.evidence/1", alias="schema")
    document: str = Field(description="artifact id of the document")
    ledger_entries: tuple[str, ...] = Field(description="Entries that led to it, oldest first; none: configuration did")
    ledger_length: int = Field(ge=0, description="Entries in the ledger when it was made")
    ledger_head: str | None = Field(default=None, description="Hash of the ledger's last entry then")
    table_versions: dict[str, int] = Field(description="Lake tables read, at their versions")
    source_run_ids: tuple[str, ...] = Field(default=(), description="Runs that a prompt's contents come from")
    made_at: datetime


def routing_evidence(document: str, seen: int, grounds: Grounds) -> Evidence:
    """For a routing document: every transition in the ledger after its first `seen` entries."""
    ledger = grounds.ledger
    after = ledger.filter((pc.field("seq") > seen) & (pc.field("kind") != "held")).sort_by("seq")
    return _evidence(document, after, grounds, ())


def prompt_evidence(document: str, prompt: PromptDocument, grounds: Grounds) -> Evidence:
    """For a prompt: every entry about an arm with it."""
    rows = grounds.ledger.filter(pc.field("skill") == prompt.skill).sort_by("seq")
    arms: list[str] = rows.column("candidate_arm").to_pylist()
    about = rows.filter(pa.array([Arm.parse(arm).prompt_version == prompt.version for arm in arms], pa.bool_()))
    return _evidence(document, about, grounds, prompt.source_run_ids)


def _evidence(document: str, entries: pa.Table, grounds: Grounds, source_run_ids: tuple[str, ...]) -> Evidence:
    hashes = grounds.ledger.sort_by("seq").column("hash")
    return Evidence(
        document=document,
        ledger_entries=tuple(entries.column("entry_id").to_pylist()),
        ledger_length=grounds.ledger.num_rows,
        ledger_head=hashes[-1].as_py() if len(hashes) else None,
        table_versions=dict(sorted(grounds.versions.items())),
        source_run_ids=source_run_ids,
        made_at=grounds.at,
    )
