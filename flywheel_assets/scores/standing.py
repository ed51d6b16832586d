"""Ranks a skill's arms as far as their intervals allow, and says why where they do not.

Intervals that do not overlap are stronger evidence than a test at 5 % would ask for; it is a reading
of what was observed, not of an experiment, and nothing is promoted by it.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Interval(NamedTuple):
    """An arm's 95 % interval."""

    lower: float
    upper: float


class Standing(NamedTuple):
    """Where an arm stands within its skill."""

    rank: int | None
    standing: str
    reason: str


def standings(arms: Sequence[str], intervals: Sequence[Interval | None]) -> list[Standing]:
    """One standing per arm; an arm without an interval has no evidence, and holds up no other."""
    known = [(arm, interval) for arm, interval in zip(arms, intervals, strict=True) if interval is not None]
    return [_standing(arm, interval, known) for arm, interval in zip(arms, intervals, strict=True)]


def _standing(arm: str, interval: Interval | None, known: Sequence[tuple[str, Interval]]) -> Standing:
    if interval is None:
        return Standing(None, "unranked", "no evidence")
    others = [(name, other) for name, other in known if name != arm]
    if not others:
        return Standing(None, "unranked", "cannot be ranked: no other arm of the skill has evidence")
    above = [name for name, other in others if other.lower > interval.upper]
    overlapping = [name for name, other in others if other.lower <= interval.upper and interval.lower <= other.upper]
    rank = None if overlapping else len(above) + 1
    if above:
        return Standing(rank, "worse", f"its interval lies below that of {_listed(above)}")
    if overlapping:
        return Standing(None, "tied", f"cannot be ranked: its interval overlaps that of {_listed(overlapping)}")
    return Standing(rank, "best", "its interval lies above those of all other arms")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
