"""The dialects there are, in the order in which they are believed."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from flywheel_assets.spans import dialects
from flywheel_assets.spans.dialect import Dialect

# Where a span speaks several conventions: what we wrote ourselves, then the standard, then the
# instrumentations (a wrapper's own names are more exact than the general ones beside them), then the
# durable runtimes, which stamp the spans of others; general attributes last.
FIRST = ("flywheel", "gen_ai", "openinference")
LAST = ("gen_ai_early", "restate", "inngest", "general")


@cache
def dialects_in_order() -> tuple[Dialect, ...]:
    """Every dialect of the folder, most believed first; unlisted ones by name in the middle."""
    names = {module.name for module in iter_modules(dialects.__path__)}
    middle = sorted(names - {*FIRST, *LAST})
    found = [import_module(f"{dialects.__name__}.{name}").DIALECT for name in (*FIRST, *middle, *LAST)]
    for dialect in found:
        if not isinstance(dialect, Dialect):
            message = f"DIALECT in {dialects.__name__} must be a Dialect, not {dialect!r}"
            raise TypeError(message)
    return tuple(found)
