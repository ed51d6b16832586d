"""A step that used no tool, in a run that was offered tools and never used one."""

from collections.abc import Iterator

import numpy as np

from flywheel_assets.examples.signs.sign import Shown, Sign, Tried


def _find(tried: Tried) -> Iterator[Shown]:
    spans = tried.spans
    idle = tried.offered & tried.unused & ~spans.erred & (spans.last_call >= 0)
    for step in np.flatnonzero(idle).tolist():
        if spans.rows["operation"][step].as_py() in ("chain", "step"):
            yield int(spans.last_call[step]), "Tool Selection Errors", "none of the tools that were offered was used"


SIGN = Sign("idle_tools", "1", _find)
