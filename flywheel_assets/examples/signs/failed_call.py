"""A call of a model or tool that failed by itself.

A model's call fails by its service, if its message tells nothing else; a tool's call is trouble with
the tool, whoever caused it.
"""

from collections.abc import Iterator

import numpy as np

from flywheel_assets.examples.signs.sign import Shown, Sign, Tried


def _find(tried: Tried) -> Iterator[Shown]:
    spans = tried.spans
    for place in np.flatnonzero(spans.erred & (spans.llm | spans.tool)).tolist():
        kind = "Tool-related" if spans.tool[place] else tried.kind.get(place, "Service Errors")
        yield place, kind, tried.failed("the call", place)


SIGN = Sign("failed_call", "1", _find)
