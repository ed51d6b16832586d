"""Finds the labelers: the files of this package, and those that other packages offer."""

import importlib
import pkgutil
from importlib.metadata import entry_points

from flywheel_assets.examples import labelers
from flywheel_assets.examples.labelers.labeler import Labeler
from flywheel_assets.tables.steps import LABELERS


def find_labelers() -> tuple[Labeler, ...]:
    """All labelers by name. Raises ValueError where two have one name: votes must be attributable."""
    files = (
        importlib.import_module(f"{labelers.__name__}.{module.name}")
        for module in pkgutil.iter_modules(labelers.__path__)
    )
    found = [file.LABELER for file in files if hasattr(file, "LABELER")]
    found += [entry.load() for entry in entry_points(group=LABELERS)]
    names = [labeler.name for labeler in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"more than one labeler is called {sorted(twice)}")
    return tuple(sorted(found, key=lambda labeler: labeler.name))
