"""Finds the exporters, and writes what each makes of the current routing document."""

import importlib
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Protocol, cast

import flywheel_assets.artifacts.exporters as builtin
from flywheel_assets.artifacts.files import write_whole
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.routing import RoutingDocument, SkillRoute


@dataclass(frozen=True, slots=True)
class Export:
    """A rendered file, and what its consumer cannot express or should be told."""

    text: str
    warnings: tuple[str, ...] = ()


class Exporter(Protocol):
    """What an exporter module offers."""

    FILE: str

    def render(self, document: RoutingDocument) -> Export:
        """The document in the consumer's own format."""
        ...


def exporters(plugins: Iterable[EntryPoint] = ()) -> dict[str, Exporter]:
    """Name → exporter: the modules of `exporters/`, and those that other packages bring."""
    names = sorted(module.name for module in pkgutil.iter_modules(builtin.__path__))
    found = {name: cast("Exporter", importlib.import_module(f"{builtin.__name__}.{name}")) for name in names}
    return found | {plugin.name: cast("Exporter", plugin.load()) for plugin in plugins}


def export(document: RoutingDocument, folder: Path, plugins: Iterable[EntryPoint] = ()) -> dict[str, tuple[str, ...]]:
    """Write every exporter's file to `folder`; file name → warnings."""
    warnings: dict[str, tuple[str, ...]] = {}
    for exporter in exporters(plugins).values():
        rendered = exporter.render(document)
        write_whole(folder / exporter.FILE, rendered.text.encode())
        warnings[exporter.FILE] = rendered.warnings
    return warnings


def arm_shares(route: SkillRoute) -> dict[Arm, float]:
    """Arm → probability that a unit gets it, over both draws; they add up to 1."""
    left = 1 - sum(segment.share for segment in route.fixed)
    shares: dict[Arm, float] = {}
    for segments, scale in ((route.fixed, 1.0), (route.trial, left)):
        for segment in segments:
            arm = Arm.parse(segment.arm)
            shares[arm] = shares.get(arm, 0.0) + segment.share * scale
    return shares


def production_model(route: SkillRoute) -> str:
    """The model that the skill's units get unless a draw says otherwise."""
    return next(Arm.parse(segment.arm).model for segment in route.trial if segment.name == "production")
