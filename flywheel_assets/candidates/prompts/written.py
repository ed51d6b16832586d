"""Variants that somebody put into a folder, by hand or by a program: checked, hashed, and named where they are bad.

`<folder>/<skill>/<name>.md` is one variant: its text, byte for byte. Nothing in the folder is changed.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from flywheel_assets.candidates.prompts.incumbent import IncumbentPrompt
from flywheel_assets.tables.documents.routing import prompt_version

SUFFIXES = (".md", ".txt")
# Longer than any prompt that was ever meant; a page of a book was dropped here by mistake.
MOST_BYTES = 256_000
_PLACE = re.compile(r"\{\{?\s*[a-z_][\w.]*\s*\}?\}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Variant:
    """One file: where it is, and what is in it."""

    skill: str
    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """A variant's text and version; `fault` says why it cannot be tried."""

    skill: str
    path: str
    version: str
    text: str | None
    fault: str | None


def variants_in(folder: Path) -> list[Variant]:
    """Every file of every skill's folder, in order of its path. A skill's name may be quoted as in a URL."""
    files = sorted(path for path in folder.glob("*/*") if path.is_file() and not path.name.startswith("."))
    return [
        Variant(unquote(file.parent.name), file.relative_to(folder).as_posix(), file.read_bytes()) for file in files
    ]


def checked(
    variants: Iterable[Variant], incumbents: Mapping[str, IncumbentPrompt], unfit: Callable[[str], str | None]
) -> list[Checked]:
    """Every variant with its fault, if it has one. `unfit` says why a text must not be published."""
    found: list[Checked] = []
    taken: dict[tuple[str, str], str] = {}
    for variant in variants:
        text, fault = _read(variant)
        version = prompt_version(text) if text is not None else _version(variant)
        fault = fault or _fault(variant.skill, text or "", incumbents, unfit)
        if (variant.skill, version) in taken:
            # Equal content has equal faults: one row says them.
            continue
        taken[variant.skill, version] = variant.path
        found.append(Checked(variant.skill, variant.path, version, None if fault else text, fault))
    return found


def _version(variant: Variant) -> str:
    return prompt_version(f"{variant.path}\n{len(variant.content)}")


def _read(variant: Variant) -> tuple[str | None, str | None]:
    if not variant.path.endswith(SUFFIXES):
        return None, f"only {' and '.join(SUFFIXES)} files are read"
    if len(variant.content) > MOST_BYTES:
        return None, f"{len(variant.content)} bytes; at most {MOST_BYTES} are read"
    try:
        text = variant.content.decode()
    except UnicodeDecodeError as error:
        return None, f"not UTF-8 at byte {error.start}"
    if not text.strip():
        return text, "empty"
    return text, "holds a NUL character" if "\0" in text else None


def _fault(
    skill: str, text: str, incumbents: Mapping[str, IncumbentPrompt], unfit: Callable[[str], str | None]
) -> str | None:
    incumbent = incumbents.get(skill)
    if incumbent is None:
        return "skills.yaml names no such skill, or the prompt in production is unknown"
    missing = sorted(set(_PLACE.findall(incumbent.text)) - set(_PLACE.findall(text)))
    if missing:
        # What the agent fills in would be lost without an error.
        return f"lacks {', '.join(missing)}, which the prompt in production has"
    return unfit(text)
