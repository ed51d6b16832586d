"""One trial: the confidence sequence that decided it, look by look."""

from collections.abc import Mapping, Sequence
from typing import Any

from flywheel_assets.snapshots.plots.svg import area, curve, dot, grid, label, line, percent, picture, spanning, text

Row = Mapping[str, Any]

STYLES = {"promoted": "good", "rolled_back": "bad", "abandoned": "mute"}


def trial_plot(looks: Sequence[Row], width: int = 340, height: int = 170) -> str:
    """PROMOTION_DECISIONS rows of one experiment in order; looks without an interval are left out."""
    known = [row for row in looks if row["lower"] is not None and row["upper"] is not None]
    if not known:
        return picture(width, 60, [text((0, 34), "Registered; no evidence yet.", "note")], "no look yet")
    units = [row["candidate_units"] + row["incumbent_units"] for row in known]
    across = spanning([0, *units], 44, width - 60, pad=0.0)
    up = spanning([0.0, *(row[name] for row in known[-12:] for name in ("lower", "upper"))], height - 24, 8)
    inside = [[min(max(row[name], up.low), up.high) for name in ("lower", "estimate", "upper")] for row in known]
    at = [across(count) for count in units]
    band = [(x, up(row[2])) for x, row in zip(at, inside, strict=True)]
    band += [(x, up(row[0])) for x, row in zip(reversed(at), reversed(inside), strict=True)]
    last = known[-1]
    style = STYLES.get(last["kind"], "current")
    ticks, end = up.ticks(4), (at[-1], up(inside[-1][1]))
    parts = [
        *grid(across, up, [label(tick, signed=True) for tick in ticks], ticks),
        area(band, f"band {style}"),
        line((at[-1], up(inside[-1][0])), (at[-1], up(inside[-1][2])), f"whisker {style}"),
        line((across.start, up(0)), (across.end, up(0)), "zero"),
        curve([(x, up(row[1])) for x, row in zip(at, inside, strict=True)], style),
        dot(end, f"dot {style}", 4, last["reason"]),
        text((end[0] + 8, end[1] + 4), percent(last["estimate"], signed=True), f"value {style}"),
        text((across.start, height - 5), "0", "tick", "middle"),
        text((at[-1], height - 5), f"{units[-1]:,} units", "tick", "middle"),
    ]
    return picture(width, height, parts, f"{last['kind']}: {last['reason']}")
