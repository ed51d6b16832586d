"""Prompts in production, put into the registries that agents load them from.

What a registry has taken is noted beside the channel, so that it is asked only when something changed; what
it did not take is tried again next turn. Nothing here stops a publication.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import orjson

from flywheel_assets.artifacts import registries as builtin
from flywheel_assets.artifacts.export import Material, production_arm
from flywheel_assets.artifacts.files import write_whole

SWITCH = "FLYWHEEL_PROMPT_REGISTRIES"


@dataclass(frozen=True, slots=True)
class InProduction:
    """A skill's prompt in production and the document that says so."""

    skill: str
    version: str
    text: str
    policy_id: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """'<registry>: <skill>' of what was taken now; `faults` say why the rest was not."""

    taken: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


class Registry(Protocol):
    """What a registry's module offers."""

    def push(self, prompt: InProduction, environment: Mapping[str, str]) -> str | None:
        """Put it in production there; why that failed, or None."""
        ...


def push(material: Material, folder: Path, environment: Mapping[str, str]) -> Pushed:
    """Bring every registry that FLYWHEEL_PROMPT_REGISTRIES names (by commas) up to date."""
    wanted = [name.strip() for name in environment.get(SWITCH, "").split(",") if name.strip()]
    if not wanted:
        return Pushed()
    names = [module.name for module in pkgutil.iter_modules(builtin.__path__)]
    noted = folder / "channels" / "pushed.json"
    held: dict[str, dict[str, str]] = orjson.loads(noted.read_bytes()) if noted.exists() else {}
    taken: list[str] = []
    faults = [f"{name} is no registry known here: {', '.join(names)}" for name in wanted if name not in names]
    for name in (name for name in wanted if name in names):
        registry = cast("Registry", importlib.import_module(f"{builtin.__name__}.{name}"))
        has = held.setdefault(name, {})
        for prompt in _in_production(material):
            if has.get(prompt.skill) == prompt.version:
                continue
            fault = registry.push(prompt, environment)
            if fault:
                faults.append(f"{name}: {prompt.skill}: {fault}")
                continue
            has[prompt.skill] = prompt.version
            write_whole(noted, orjson.dumps(held, option=orjson.OPT_SORT_KEYS))
            taken.append(f"{name}: {prompt.skill}")
    return Pushed(tuple(taken), tuple(faults))


def _in_production(material: Material) -> list[InProduction]:
    document = material.document
    texts = [
        (skill, production_arm(route).prompt_version, material.text(skill)) for skill, route in document.skills.items()
    ]
    return [
        InProduction(skill, version, text, document.policy_id) for skill, version, text in texts if text is not None
    ]
