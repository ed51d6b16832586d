"""Decisions in time: a lane for each trial from its registration on, and the error budget that is left."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from flywheel_assets.snapshots.plots.leaderboard import short
from flywheel_assets.snapshots.plots.svg import Scale, bar, curve, dot, line, picture, text

Row = Mapping[str, Any]

STYLES = {"promoted": "good", "rolled_back": "bad", "abandoned": "mute"}
ENDS = {"promoted": "promoted", "rolled_back": "rolled back", "abandoned": "abandoned"}
LANE, BUDGET, AXIS = 36.0, 70.0, 22.0
# What the verdict on the right takes, and a letter of the name, in pixels.
VERDICT, LETTER = 90.0, 7.2
# The newest; a page with every trial of a year would not be looked at.
MOST = 14


def timeline_plot(ledger: Sequence[Row], width: int) -> str:
    """PROMOTION_DECISIONS rows in any order."""
    rows = sorted(ledger, key=lambda row: row["seq"])
    if not rows:
        return picture(width, 60, [text((0, 34), "No trial is registered yet.", "note")], "no decision yet")
    trials = [list(looks) for _, looks in groupby(sorted(rows, key=_trial), key=lambda row: row["experiment_id"])]
    shown = sorted(sorted(trials, key=lambda looks: -looks[-1]["seq"])[:MOST], key=lambda looks: looks[0]["seq"])
    times = [row["decided_at"].timestamp() for looks in shown for row in looks]
    across = Scale(min(times), max(times), 6, width - 8)
    lanes = [part for place, looks in enumerate(shown) for part in _lane(looks, across, place * LANE)]
    top = len(shown) * LANE + 12
    budget = _budget([row for row in rows if row["decided_at"].timestamp() >= across.low], across, top)
    height = top + BUDGET + AXIS
    return picture(width, height, [*_days(across, height), *lanes, *budget], f"{len(shown)} trials in time")


def _trial(row: Row) -> tuple[str, int]:
    return row["experiment_id"], row["seq"]


def _lane(looks: Sequence[Row], across: Scale, top: float) -> list[str]:
    """The name above; below it the time under trial, each look, and how it ended."""
    last = looks[-1]
    style, y = STYLES.get(last["kind"], "mute"), top + 23
    at = [across(row["decided_at"].timestamp()) for row in looks]
    says = ENDS.get(last["kind"], "still on trial")
    marks = [
        dot((x, y), f"dot {STYLES.get(row['kind'], 'mute')}", 6 if row["kind"] in ENDS else 2.5, _note(row))
        for x, row in zip(at, looks, strict=True)
    ]
    name = f"{last['skill']}: {short(last['candidate_arm'])}"
    fits = int((across.end - across.start - VERDICT) / LETTER)
    name = name if len(name) <= fits else name[: fits - 1] + "…"
    return [
        text((across.start, top + 12), name, "arm"),
        text((across.end, top + 12), says, f"value {style}", "end"),
        bar((at[0], y - 1.5), (at[-1] - at[0], 3), f"interval {style}"),
        *marks,
    ]


def _note(row: Row) -> str:
    return f"{row['decided_at']:%Y-%m-%d %H:%M} {row['kind'].replace('_', ' ')}: {row['reason']}"


def _budget(rows: Sequence[Row], across: Scale, top: float) -> list[str]:
    """Steps down as trials are registered; what is left is all that later trials may spend."""
    known = [row for row in rows if row["alpha_left"] is not None]
    if not known:
        return []
    up = Scale(0, max(row["alpha_left"] for row in known) or 1.0, top + BUDGET - 4, top + 22)
    points: list[tuple[float, float]] = []
    for row in known:
        x, y = across(row["decided_at"].timestamp()), up(row["alpha_left"])
        points += [(x, points[-1][1]), (x, y)] if points else [(x, y)]
    says = f"error budget left: {known[-1]['alpha_left']:.4f}"
    bottom = line((across.start, up(0)), (across.end, up(0)), "grid")
    return [text((across.start, top + 12), says, "tick"), bottom, curve(points, "frozen")]


def _days(across: Scale, height: float) -> list[str]:
    ends = [(across.start, across.low, "start"), (across.end, across.high, "end")]
    if across.high - across.low > 3 * 86400:
        ends.insert(1, ((across.start + across.end) / 2, (across.low + across.high) / 2, "middle"))
    return [text((x, height - 5), f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}", "tick", side) for x, at, side in ends]
