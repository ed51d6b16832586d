"""Production minus the launch baseline over all runs so far, with the band that may be looked at any time."""

from collections.abc import Mapping, Sequence
from typing import Any

from flywheel_assets.snapshots.plots.svg import (
    Scale,
    area,
    curve,
    dot,
    grid,
    label,
    line,
    percent,
    picture,
    spanning,
    text,
)

Row = Mapping[str, Any]


def lift_plot(rows: Sequence[Row], width: int, height: int = 240) -> str:
    """MOMENTUM rows of one skill in order; blocks without a lift leave a gap."""
    known = [row for row in rows if row["lift"] is not None]
    across = Scale(0, max([row["block"] for row in rows], default=1), 46, width - 52)
    if not known:
        return picture(
            width, 60, [text((0, 34), "Not measured yet: too few runs in the holdout.", "note")], "no lift yet"
        )
    # The first bands are as wide as the scale; what matters is where they go.
    settled = known[len(known) // 6 :]
    up = spanning([0.0, *(row[name] for row in settled for name in ("lower", "upper"))], height - 26, 10)
    clipped = [{name: min(max(row[name], up.low), up.high) for name in ("lower", "lift", "upper")} for row in known]
    at = [across(row["block"]) for row in known]
    band = [(x, up(row["upper"])) for x, row in zip(at, clipped, strict=True)]
    band += [(x, up(row["lower"])) for x, row in zip(reversed(at), reversed(clipped), strict=True)]
    last = known[-1]
    ticks = up.ticks()
    parts = [
        *grid(across, up, [label(tick, signed=True) for tick in ticks], ticks),
        area(band, "band"),
        line((across.start, up(0)), (across.end, up(0)), "zero"),
        curve([(x, up(row["lift"])) for x, row in zip(at, clipped, strict=True)], "current"),
        dot((at[-1], up(clipped[-1]["lift"])), "dot current"),
        text((at[-1] + 8, up(clipped[-1]["lift"]) + 4), percent(last["lift"], signed=True), "value current"),
        *runs_axis(rows, across, height),
    ]
    return picture(width, height, parts, f"lift over the launch baseline: {last['standing']}")


def runs_axis(rows: Sequence[Row], across: Scale, height: float) -> list[str]:
    """Labels below: how many runs had been seen after a block."""
    size = max((row["runs"] for row in rows), default=100)
    marks = [tick for tick in across.ticks(4) if tick == int(tick)]
    words = [f"{tick * size:,.0f} runs" if tick == marks[-1] else f"{tick * size:,.0f}" for tick in marks]
    return [text((across(tick), height - 6), word, "tick", "middle") for tick, word in zip(marks, words, strict=True)]
