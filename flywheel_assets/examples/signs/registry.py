"""Finds the signs: the files of this package."""

import functools
import importlib
import pkgutil

from flywheel_assets.examples import signs
from flywheel_assets.examples.signs.sign import Sign


@functools.cache
def find_signs() -> tuple[Sign, ...]:
    """All signs by name."""
    files = (
        importlib.import_module(f"{signs.__name__}.{module.name}") for module in pkgutil.iter_modules(signs.__path__)
    )
    return tuple(sorted((file.SIGN for file in files if hasattr(file, "SIGN")), key=lambda sign: sign.name))
