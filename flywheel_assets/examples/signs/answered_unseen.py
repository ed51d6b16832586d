"""An answer was handed in though no tool had returned anything, in a run that was offered tools.

It rests on language alone, and what the run was given to do its task with was left aside. Runs that
worked for several steps by themselves (code that needs no tool) have seen something, and are not meant.
"""

from collections.abc import Iterator

from flywheel_assets.examples.signs.sign import Shown, Sign, Tried


def _find(tried: Tried) -> Iterator[Shown]:
    starts, seen = tried.spans.start[tried.handing_in], tried.worked[tried.handing_in]
    for place in tried.handing_in[tried.offered[tried.handing_in] & (seen > starts)].tolist():
        for kind in ("Goal Deviation", "Language-only"):
            yield place, kind, "it answers, and no tool that was offered had returned anything"


SIGN = Sign("answered_unseen", "1", _find)
