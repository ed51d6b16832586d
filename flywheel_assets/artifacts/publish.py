"""Publishing: documents first, the pointer last, so that an agent never loads half of anything.

Whenever the process dies, the channel points at a whole document whose prompts are in place; what
was written for a pointer that never moved is replaced by the next publication.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

import pyarrow as pa

from flywheel_assets.artifacts.channel import Channel, Pointer, document_bytes
from flywheel_assets.artifacts.evidence import Evidence, Grounds, prompt_evidence, routing_evidence
from flywheel_assets.artifacts.exploring import dominated
from flywheel_assets.artifacts.export import Material, export
from flywheel_assets.artifacts.files import write_whole
from flywheel_assets.artifacts.policies import Policies, known_policies
from flywheel_assets.artifacts.prompts import Prompts, known_prompts, prompt_id, prompt_path, versions_in, waiting
from flywheel_assets.artifacts.routing import State, routing_document, skill_route
from flywheel_assets.artifacts.rows import promoted_rows
from flywheel_assets.artifacts.schemas import schemas
from flywheel_assets.artifacts.signing import Sign, signature_file
from flywheel_assets.tables.documents.routing import RoutingDocument, SkillRoute
from flywheel_assets.tables.documents.skills_file import SkillsFile
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES


@dataclass(frozen=True, slots=True)
class Published:
    """What is published now: the rows of both tables, and what could not be done."""

    routing: pa.Table
    prompts: pa.Table
    pointer: Pointer
    material: Material
    changed: bool
    withheld: dict[str, str]
    warnings: dict[str, tuple[str, ...]]


def publish(  # noqa: PLR0913 - exporters of other packages are an option, the rest is all there is to publish
    folder: Path,
    states: Mapping[str, State],
    skills: SkillsFile,
    candidates: pa.Table,
    grounds: Grounds,
    *,
    routes: pa.Table | None = None,
    files: Mapping[str, Path] | None = None,
    plugins: Iterable[EntryPoint] = (),
    sign: Sign | None = None,
) -> Published:
    """Bring the artifacts folder up to date with the states; nothing is written where nothing changed.

    `candidates` are PROMPT_CANDIDATES rows, `routes` ROUTING_CANDIDATES, `files` those that carry a skill's prompt
    in the agents' own repository. A skill whose prompt's text is nowhere to be found keeps its newest route, and
    is named in `withheld`.
    """
    channel = Channel(folder)
    known = known_prompts(folder, skills, candidates)
    history = channel.published()
    newest = channel.load(history[-1]) if history else None
    policies = known_policies(grounds.ledger)
    withheld = _without_text(states, skills, known, policies)
    ready = {skill: state for skill, state in states.items() if skill not in withheld}
    kept = {skill: newest.skills[skill] for skill in withheld if newest and skill in newest.skills}
    worse = dominated(ROUTING_CANDIDATES.empty() if routes is None else routes)
    document = routing_document(ready, skills, newest, kept, policies, waiting(candidates), worse)
    changed = document is not newest
    if changed:
        seen = _ledger_length(folder, history[-1]) if history else 0
        _write_prompts(folder, document, known, grounds)
        channel.point(_write_routing(folder, document, seen, grounds, sign), grounds.at)
    pointer = channel.pointer()
    if pointer is None:
        raise ValueError(f"{channel.file} is missing although {channel.history_file} is there: restore a version")
    for name, schema in schemas().items():
        write_whole(folder / "schema" / name, schema)
    material = Material(channel.load(pointer), known, files or {})
    warnings = export(material, folder / "exports", plugins)
    routing, prompts = promoted_rows(channel)
    return Published(routing, prompts, pointer, material, changed, withheld, warnings)


def _without_text(
    states: Mapping[str, State], skills: SkillsFile, known: Prompts, policies: Policies
) -> dict[str, str]:
    """Skill → why it cannot be routed: a prompt that it needs has no text."""
    withheld: dict[str, str] = {}
    for name, skill in skills.skills.items():
        route: SkillRoute | None = skill_route(states[name], skill, policies) if name in states else None
        missing = [version for version in versions_in(route) if (name, version) not in known] if route else []
        if missing:
            withheld[name] = f"no text is known for prompt {', '.join(missing)}"
    return withheld


def _ledger_length(folder: Path, pointer: Pointer) -> int:
    """Entries in the ledger when a document was made."""
    path = folder / pointer.path
    return Evidence.model_validate_json(path.with_name(f"{path.stem}.evidence.json").read_bytes()).ledger_length


def _write_prompts(folder: Path, document: RoutingDocument, known: Prompts, grounds: Grounds) -> None:
    """Every prompt that the document refers to, its evidence before itself."""
    for skill, route in document.skills.items():
        for version in versions_in(route):
            path = folder / prompt_path(skill, version)
            if path.is_file():
                continue
            prompt = known[skill, version]
            evidence = prompt_evidence(prompt_id(prompt), prompt, grounds)
            write_whole(path.with_name(f"{version}.evidence.json"), document_bytes(evidence))
            write_whole(path, document_bytes(prompt))


def _write_routing(folder: Path, document: RoutingDocument, seen: int, grounds: Grounds, sign: Sign | None) -> Pointer:
    """The routing document and its evidence; what a writer that died left under the same version goes."""
    stem = f"{document.version}-{document.policy_id}"
    path = folder / "routing" / f"{stem}.json"
    for leftover in folder.glob(f"routing/{document.version}-*"):
        if not leftover.name.startswith(stem):
            leftover.unlink()
    evidence = routing_evidence(document.policy_id, seen, grounds)
    content = document_bytes(document)
    write_whole(path.with_name(f"{stem}.evidence.json"), document_bytes(evidence))
    if sign is not None:
        write_whole(signature_file(path), sign(content).encode())
    write_whole(path, content)
    return Pointer(
        policy_id=document.policy_id,
        path=path.relative_to(folder).as_posix(),
        sha256=hashlib.sha256(content).hexdigest(),
        version=document.version,
    )
