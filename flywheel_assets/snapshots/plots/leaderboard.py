"""One skill's arms with their intervals; the one in production is filled."""

from collections.abc import Mapping, Sequence
from typing import Any

from flywheel_assets.snapshots.plots.svg import bar, dot, label, line, percent, picture, spanning, text

Row = Mapping[str, Any]

ROW = 40


def leaderboard_plot(arms: Sequence[Row], width: int = 340) -> str:
    """Rows of the view `skill_leaderboard` for one skill; arms without evidence say so."""
    across = spanning([row[name] for row in arms for name in ("lower", "upper")], 4, width - 52)
    height = ROW * len(arms) + 22
    ticks = across.ticks(4)
    parts = [line((across(tick), 2), (across(tick), height - 18), "grid") for tick in ticks]
    parts += [text((across(tick), height - 4), label(tick), "tick", "middle") for tick in ticks]
    for place, row in enumerate(arms):
        y = place * ROW + 28
        style = "current" if row["in_production"] else "baseline"
        parts.append(text((4, y - 12), short(row["arm"]), f"arm {style}"))
        if row["score"] is None:
            parts.append(text((4, y + 4), "no admitted outcome yet", "tick"))
            continue
        low, high = across(row["lower"]), across(row["upper"])
        note = f"{row['arm']}: {row['standing']}, {row['reason']}"
        parts += [
            bar((low, y - 3), (high - low, 6), f"interval {style}", note),
            dot((across(row["score"]), y), f"dot {style}", 5, note),
            text((width - 46, y + 4), percent(row["score"]), f"value {style}"),
        ]
    return picture(width, height, parts, "arms of one skill with their intervals")


def short(arm: str) -> str:
    """An arm as people say it: model, and the start of the prompt version."""
    model, prompt, *_ = f"{arm}||".split("|")
    name = model.rsplit("/", 1)[-1]
    return name if prompt in {"", "-"} else f"{name} · {prompt[:8]}"
