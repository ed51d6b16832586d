"""What a model's call told the run to do could not be done: the step that did it ended in an error.

The call, not the step, made the error; the step's message tells the kind. Where it speaks of nothing
outside the call (no file, no service, no limit), what was written could not be executed as it stood: code
that does not parse, arguments that do not fit.
"""

from collections.abc import Iterator

import numpy as np

from flywheel_assets.examples.signs.sign import Shown, Sign, Tried


def _find(tried: Tried) -> Iterator[Shown]:
    spans = tried.spans
    for step in np.flatnonzero(spans.erred & ~spans.llm & ~spans.tool & (spans.last_call >= 0)).tolist():
        kind = tried.kind.get(step, "Formatting Errors")
        yield int(spans.last_call[step]), kind, tried.failed("what it asked for", step)


SIGN = Sign("failed_execution", "1", _find)
