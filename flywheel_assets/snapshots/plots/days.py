"""Runs per day, by what became of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from flywheel_assets.snapshots.plots.svg import Scale, bar, grid, picture, text

Row = Mapping[str, Any]

FATES = (("admitted", "good"), ("refused", "bad"), ("missing", "mute"), ("immature", "warn"))


def days_plot(rows: Sequence[Row], width: int, height: int = 170) -> str:
    """One row a day with `day`, `runs` and the number of each fate."""
    if not rows:
        return picture(width, 60, [text((0, 34), "No day has runs yet.", "note")], "no runs")
    up = Scale(0, max(row["runs"] for row in rows) or 1, height - 42, 8)
    across = Scale(0, len(rows), 46, width - 8)
    ticks = up.ticks(4)
    parts = grid(across, up, [f"{tick:,.0f}" for tick in ticks], ticks)
    wide = (across.end - across.start) / len(rows)
    for place, row in enumerate(rows):
        below = 0
        for name, style in FATES:
            count = row[name]
            corner = (across(place) + wide * 0.1, up(below + count))
            size = (min(wide * 0.8, 60), up(below) - up(below + count))
            parts.append(bar(corner, size, f"block {style}", f"{row['day']}: {count:,} {name}"))
            below += count
    for place in {0, len(rows) - 1}:
        anchor = "start" if place == 0 else "end"
        x = across(place) if place == 0 else across.end
        parts.append(text((x, height - 26), str(rows[place]["day"]), "tick", anchor))
    x = across.start
    for name, style in FATES:
        parts += [bar((x, height - 12), (9, 9), f"block {style}"), text((x + 13, height - 4), name, "tick")]
        x += 22 + 6.6 * len(name)
    return picture(width, height, parts, "runs per day by what became of them")
