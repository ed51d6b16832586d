"""The tables of promoted documents, read back from the folder that agents load: the files are the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from flywheel_assets.artifacts.channel import Channel, Pointing
from flywheel_assets.artifacts.evidence import Evidence
from flywheel_assets.artifacts.prompts import prompt_id, prompt_path, versions_in
from flywheel_assets.tables.documents.routing import PromptDocument, RoutingDocument, content_hash
from flywheel_assets.tables.promoted_artifacts import PROMOTED_PROMPTS, PROMOTED_ROUTING


@dataclass(frozen=True, slots=True)
class _Version:
    """One published routing document with what is beside it."""

    pointing: Pointing
    document: RoutingDocument
    evidence: Evidence
    current: bool


def promoted_rows(channel: Channel) -> tuple[pa.Table, pa.Table]:
    """PROMOTED_ROUTING and PROMOTED_PROMPTS: every document that the channel ever pointed at."""
    pointer = channel.pointer()
    versions = [
        _Version(
            pointing=pointing,
            document=channel.load(pointing),
            evidence=_evidence(channel.folder / pointing.path),
            current=pointer is not None and pointing.policy_id == pointer.policy_id,
        )
        for pointing in channel.published()
    ]
    return PROMOTED_ROUTING.rows([_routing_row(channel, v) for v in versions]), _prompt_rows(channel.folder, versions)


def _evidence(document: Path) -> Evidence:
    return Evidence.model_validate_json(document.with_name(f"{document.stem}.evidence.json").read_bytes())


def _routing_row(channel: Channel, version: _Version) -> dict[str, object]:
    return {
        "artifact_id": version.pointing.policy_id,
        "version": version.document.version,
        "parent_id": version.document.parent,
        "content_hash": version.document.content_hash,
        "document_json": (channel.folder / version.pointing.path).read_text(),
        "entry_id": _last(version.evidence.ledger_entries),
        "published_at": version.pointing.published_at,
        "current": version.current,
    }


def _prompt_rows(folder: Path, versions: Sequence[_Version]) -> pa.Table:
    """One row for each prompt, as of the first routing document that refers to it."""
    rows: dict[tuple[str, str], dict[str, object]] = {}
    counts: dict[str, int] = {}
    for version in versions:
        for skill, route in version.document.skills.items():
            for prompt in versions_in(route):
                if (skill, prompt) not in rows:
                    counts[skill] = counts.get(skill, 0) + 1
                    rows[skill, prompt] = _prompt_row(folder, skill, prompt, counts[skill], version)
                if version.current:
                    rows[skill, prompt]["current"] = True
    for (skill, _), row in rows.items():
        parent = rows.get((skill, str(row["parent_id"])))
        row["parent_id"] = parent["artifact_id"] if parent else None
    return PROMOTED_PROMPTS.rows([rows[key] for key in sorted(rows)])


def _prompt_row(folder: Path, skill: str, prompt: str, number: int, version: _Version) -> dict[str, object]:
    path = folder / prompt_path(skill, prompt)
    text = path.read_text()
    document = PromptDocument.model_validate_json(text)
    return {
        "skill": skill,
        "prompt_version": prompt,
        "artifact_id": prompt_id(document),
        "version": number,
        "parent_id": document.parent,
        "content_hash": content_hash(document.model_dump(by_alias=True, mode="json")),
        "document_json": text,
        "entry_id": _last(_evidence(path).ledger_entries),
        "published_at": version.pointing.published_at,
        "current": False,
    }


def _last(entries: tuple[str, ...]) -> str | None:
    return entries[-1] if entries else None
