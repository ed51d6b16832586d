"""A row of PROMPT_CANDIDATES, before anything is said of it."""

import hashlib

from flywheel_assets.candidates.prompts.incumbent import IncumbentPrompt


def row_of(skill: str, version: str, incumbent: IncumbentPrompt, text: str | None) -> dict[str, object]:
    """Made of nothing yet; `state` and `reason` are to be added."""
    return {
        "candidate_id": hash_of(skill, text or version),
        "skill": skill,
        "prompt_version": version,
        "parent_version": incumbent.version,
        "text": text,
        "lessons": [],
        "demonstrations": 0,
        "source_run_ids": [],
        "support": 0.0,
    }


def hash_of(skill: str, text: str) -> str:
    """The candidate's id."""
    return hashlib.sha256(f"{skill}\n{text}".encode()).hexdigest()[:16]
