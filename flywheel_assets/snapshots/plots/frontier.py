"""Outcome against cost for one skill's arms; the line joins those that nothing beats on both."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import floor, log10
from typing import Any

from flywheel_assets.snapshots.plots.leaderboard import short
from flywheel_assets.snapshots.plots.svg import curve, dot, grid, label, line, percent, picture, spanning, text

Row = Mapping[str, Any]
# Left, right and base line of a name that was written; a name's letters, and its lines, are about so far apart.
Box = tuple[float, float, float]
LETTER, LINE = 6.5, 13.0


def frontier_plot(arms: Sequence[Row], width: int = 340, height: int = 200) -> str:
    """Rows of the view `cost_of_quality` for one skill."""
    across = spanning([row["cost_usd"] for row in arms], 44, width - 14, pad=0.15)
    up = spanning([row[name] for row in arms for name in ("lower", "upper")], height - 26, 14)
    ticks = up.ticks(4)
    best = sorted((row["cost_usd"], row["score"]) for row in arms if row["on_frontier"])
    parts = [
        *grid(across, up, [label(tick) for tick in ticks], ticks),
        *(text((across(tick), height - 6), word, "tick", "middle") for tick, word in dollars(across.ticks(3))),
        curve([(across(cost), up(score)) for cost, score in best], "frontier"),
    ]
    taken: list[Box] = []
    for row in arms:
        x, y = across(row["cost_usd"]), up(row["score"])
        style = "current" if row["on_frontier"] else "baseline"
        left, name = x > width * 0.6, short(row["arm"])
        low = free(x - 9 - LETTER * len(name) if left else x + 9, y, LETTER * len(name), taken)
        parts += [
            line((x, up(row["lower"])), (x, up(row["upper"])), f"whisker {style}"),
            dot(
                (x, y), f"dot {style}", 5, f"{row['arm']}: {percent(row['score'])} % at {money(row['cost_usd'])} a run"
            ),
            text((x - 9 if left else x + 9, low), name, f"arm {style}", "end" if left else "start"),
        ]
    return picture(width, height, parts, "outcome against cost per run")


def free(x: float, y: float, wide: float, taken: list[Box]) -> float:
    """The base line beside (x, y) that is nearest to it and free, and taken from then on."""
    for base in (y - 7, y + 17, y - 7 - LINE, y + 17 + LINE):
        if all(x > right or x + wide < left or abs(base - other) >= LINE for left, right, other in taken):
            break
    else:
        base = y - 7
    taken.append((x, x + wide, base))
    return base


def dollars(ticks: Sequence[float]) -> list[tuple[float, str]]:
    """Ticks from 0 up with as many decimals as tell them apart; a lone tick needs none beside it."""
    shown = [tick for tick in ticks if tick >= 0]
    step = min((b - a for a, b in pairwise(shown)), default=max(shown, default=1.0) or 1.0)
    decimals = max(0, -floor(log10(step)))
    return [(tick, f"${tick:.{decimals}f}") for tick in shown]


def money(value: float) -> str:
    """Dollars with as many digits as matter."""
    if value == 0:
        return "$0"
    return f"${value:.2f}" if value >= 0.1 else f"${value:.2g}" if value >= 0.0001 else f"${value:.0e}"
