"""Finds the exporters, and writes what each makes of the current routing document and its prompts."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Protocol, cast

import flywheel_assets.artifacts.exporters as builtin
from flywheel_assets.artifacts.files import write_whole
from flywheel_assets.artifacts.prompts import Prompts
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.cascade import models_of
from flywheel_assets.tables.documents.routing import RoutingDocument, SkillRoute


@dataclass(frozen=True, slots=True)
class Material:
    """What is exported: the document, every prompt text that is known, and files that carry a skill's prompt."""

    document: RoutingDocument
    prompts: Prompts = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict[str, Path])

    def text(self, skill: str) -> str | None:
        """The prompt in production; None where the skill has none that is known."""
        arm = production_arm(self.document.skills[skill])
        prompt = self.prompts.get((skill, arm.prompt_version))
        return prompt.text if prompt else None


@dataclass(frozen=True, slots=True)
class Export:
    """A rendered file, and what its consumer cannot express or should be told."""

    text: str
    warnings: tuple[str, ...] = ()


class Exporter(Protocol):
    """What an exporter module offers."""

    # The file that it writes under `exports/`, or a folder that is all its own.
    PLACE: str

    def render(self, material: Material) -> Mapping[str, Export]:
        """Path under `exports/` → the file, in the consumer's own format."""
        ...


def exporters(plugins: Iterable[EntryPoint] = ()) -> dict[str, Exporter]:
    """Name → exporter: the modules of `exporters/`, and those that other packages bring."""
    names = sorted(module.name for module in pkgutil.iter_modules(builtin.__path__))
    found = {name: cast("Exporter", importlib.import_module(f"{builtin.__name__}.{name}")) for name in names}
    return found | {plugin.name: cast("Exporter", plugin.load()) for plugin in plugins}


def export(material: Material, folder: Path, plugins: Iterable[EntryPoint] = ()) -> dict[str, tuple[str, ...]]:
    """Write every exporter's files to `folder`; path → warnings. What a folder of an exporter held before goes."""
    warnings: dict[str, tuple[str, ...]] = {}
    plain, lost = single_arms(material.document)
    for exporter in exporters(plugins).values():
        rendered = exporter.render(replace(material, document=plain))
        for path, one in rendered.items():
            write_whole(folder / path, one.text.encode())
            warnings[path] = (*lost, *one.warnings)
        if (folder / exporter.PLACE).is_dir():
            held = (path for path in (folder / exporter.PLACE).rglob("*") if path.is_file())
            for path in held:
                if path.relative_to(folder).as_posix() not in rendered:
                    path.unlink()
    return warnings


def single_arms(document: RoutingDocument) -> tuple[RoutingDocument, tuple[str, ...]]:
    """For consumers that know neither contextual policies nor cascades.

    A policy stands for the arm that it prefers knowing nothing, a cascade for its last model. What is left is
    another document with another id; the warnings name the one that was published.
    """
    routes = {skill: _single(route) for skill, route in document.skills.items()}
    lost = [skill for skill, route in document.skills.items() if routes[skill] != route]
    if not lost:
        return document, ()
    words = "depends on the request or on a gate, which this consumer cannot express"
    warnings = tuple(f"{skill}: {document.policy_id} {words}" for skill in lost)
    return document.model_copy(update={"skills": routes}), warnings


def _single(route: SkillRoute) -> SkillRoute:
    usual = {arm: max(rule.arms, key=lambda one: one.bias).arm for arm, rule in route.scorers.items()}

    def plain(name: str) -> str:
        arm = Arm.parse(usual.get(name, name))
        return str(arm.model_copy(update={"model": models_of(arm.model)[-1]}))

    fixed, trial = (
        tuple(one.model_copy(update={"arm": plain(one.arm)}) for one in draw) for draw in (route.fixed, route.trial)
    )
    return route.model_copy(update={"fixed": fixed, "trial": trial, "scorers": {}})


def arm_shares(route: SkillRoute) -> dict[Arm, float]:
    """Arm → probability that a unit gets it, over both draws; they add up to 1."""
    left = 1 - sum(segment.share for segment in route.fixed)
    shares: dict[Arm, float] = {}
    for segments, scale in ((route.fixed, 1.0), (route.trial, left)):
        for segment in segments:
            arm = Arm.parse(segment.arm)
            shares[arm] = shares.get(arm, 0.0) + segment.share * scale
    return shares


def production_arm(route: SkillRoute) -> Arm:
    """The arm that the skill's units get unless a draw says otherwise."""
    return next(Arm.parse(segment.arm) for segment in route.trial if segment.name == "production")
