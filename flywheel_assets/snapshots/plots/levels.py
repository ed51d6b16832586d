"""How well production, the holdout and the first promotion did, side by side in time."""

from collections.abc import Mapping, Sequence
from typing import Any

from flywheel_assets.snapshots.plots.lift import runs_axis
from flywheel_assets.snapshots.plots.svg import Point, Scale, curve, grid, label, percent, picture, spanning, text

Row = Mapping[str, Any]

SIDES = (("frozen", "first promotion"), ("baseline", "holdout"), ("current", "production"))
# A block has a handful of held-out runs; so many blocks, and no fewer runs, are readable together.
WINDOW, FEWEST = 10, 20


def levels_plot(rows: Sequence[Row], width: int, height: int = 240) -> str:
    """MOMENTUM rows of one skill in order; each line is the mean over the last ten blocks."""
    across = Scale(0, max([row["block"] for row in rows], default=1), 46, width - 104)
    lines = {name: rolling(rows, name) for name, _ in SIDES}
    up = spanning([value for points in lines.values() for _, value in points], height - 26, 10)
    ticks = up.ticks()
    parts = grid(across, up, [label(tick) for tick in ticks], ticks)
    ends: list[tuple[float, str, str]] = []
    for name, words in SIDES:
        points: list[Point] = [(across(block), up(value)) for block, value in lines[name]]
        parts.append(curve(points, name))
        if points:
            ends.append((points[-1][1], name, f"{words} {percent(lines[name][-1][1])}"))
    parts += [text((across.end + 6, y + 4), words, f"value {name}") for y, name, words in _apart(ends)]
    return picture(width, height, [*parts, *runs_axis(rows, across, height)], "mean outcome by segment over time")


def rolling(rows: Sequence[Row], name: str) -> list[tuple[int, float]]:
    """(block, mean outcome over the last blocks weighted by runs), where those are enough runs."""
    found: list[tuple[int, float]] = []
    for place in range(len(rows)):
        seen = [row for row in rows[max(0, place - WINDOW + 1) : place + 1] if row[name] is not None]
        runs = sum(row[f"{name}_runs"] for row in seen)
        if runs >= FEWEST:
            found.append((rows[place]["block"], sum(row[name] * row[f"{name}_runs"] for row in seen) / runs))
    return found


def _apart(ends: list[tuple[float, str, str]], distance: float = 15) -> list[tuple[float, str, str]]:
    """The labels, moved down where they would overlap."""
    placed: list[tuple[float, str, str]] = []
    for y, name, words in sorted(ends):
        lowest = placed[-1][0] + distance if placed else y
        placed.append((max(y, lowest), name, words))
    return placed
