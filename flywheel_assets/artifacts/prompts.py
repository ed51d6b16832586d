"""Prompt documents: the text behind every prompt version that a route sends units to."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa

from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.routing import PromptDocument, SkillRoute, content_hash, prompt_version
from flywheel_assets.tables.documents.skills_file import SkillsFile

Prompts = Mapping[tuple[str, str], PromptDocument]


def prompt_path(skill: str, version: str) -> str:
    """Where a prompt is in the artifacts folder. A skill's name may hold anything; a path may not."""
    return f"prompts/{quote(skill, safe='').replace('.', '%2E')}/{version}.json"


def prompt_id(document: PromptDocument) -> str:
    """The artifact id of a prompt."""
    return f"prompt-{content_hash(document.model_dump(by_alias=True, mode='json'))[:12]}"


def versions_in(route: SkillRoute) -> Iterator[str]:
    """The prompt versions that a route sends units to, in order, each once."""
    arms = [Arm.parse(segment.arm) for segment in (*route.fixed, *route.trial)]
    yield from dict.fromkeys(arm.prompt_version for arm in arms if arm.prompt_version != "-")


def waiting(candidates: pa.Table) -> dict[str, list[str]]:
    """Skill → versions of PROMPT_CANDIDATES that share in its exploration: variants that may be tried still.

    What was compiled is not explored: it changes with the evidence, and goes to its trial as it is.
    """
    found: dict[str, list[str]] = {}
    for row in candidates.to_pylist():
        compiled = row["lessons"] or row["demonstrations"]
        if row["state"] in ("proposed", "waiting") and row["text"] is not None and not compiled:
            found.setdefault(row["skill"], []).append(row["prompt_version"])
    return {skill: sorted(versions) for skill, versions in found.items()}


def known_prompts(folder: Path, skills: SkillsFile, candidates: pa.Table) -> dict[tuple[str, str], PromptDocument]:
    """Every prompt whose text is at hand: published before, proposed now, or in production at launch.

    One that was published stays as it was, even if it is proposed again from other runs.
    """
    known = {
        (name, prompt_version(skill.baseline_prompt)): PromptDocument(
            skill=name, version=prompt_version(skill.baseline_prompt), text=skill.baseline_prompt
        )
        for name, skill in skills.skills.items()
    }
    for row in candidates.to_pylist():
        text, version = row["text"], row["prompt_version"]
        if text is not None and prompt_version(text) == version:
            known[row["skill"], version] = PromptDocument(
                skill=row["skill"],
                version=version,
                parent=row["parent_version"],
                text=text,
                source_run_ids=tuple(row["source_run_ids"]),
            )
    for path in sorted((folder / "prompts").glob("*/*.json")):
        if not path.name.endswith(".evidence.json"):
            document = PromptDocument.model_validate_json(path.read_bytes())
            known[document.skill, document.version] = document
    return known
