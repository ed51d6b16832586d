"""Does the wheel compound? Production against the holdout on the launch baseline, block by block."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flywheel_assets.snapshots.concurrent import Difference, concurrent_difference, half_width
from flywheel_assets.tables.momentum import MOMENTUM

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]

ALL = "*"
NEEDED = ("skill", "grain", "outcome", "segment", "session_id", "run_id", "start_time")
# Below this many runs on either side the normal approximation is not to be trusted.
FEWEST = 20
# Runs of one skill that are compared with each other: small enough for time to stand still, and large
# enough that hardly any has nobody held out.
STRATUM = 50
SIDES = {"current": "production", "baseline": "holdout", "frozen": "frozen"}

# What production is compared with, and the columns that hold what is found.
CONTROLS = {
    "baseline": ("lift", "lower", "upper", "standing"),
    "frozen": ("over_frozen", "over_frozen_lower", "over_frozen_upper", "compounding"),
}


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs in the order of their start, as parallel columns."""

    outcome: Reals
    times: list[object]
    segment: NDArray[np.object_]
    skill: NDArray[np.object_]
    cluster: Ints

    def of(self, skill: str) -> "Runs":
        """One skill's runs."""
        chosen = self.skill == skill
        times = [time for time, wanted in zip(self.times, chosen, strict=True) if wanted]
        return Runs(self.outcome[chosen], times, self.segment[chosen], self.skill[chosen], self.cluster[chosen])


def momentum(observations: pa.Table, block: int = 100) -> pa.Table:
    """MOMENTUM rows, per skill and for '*', from `gated_observations`.

    A block is `block` admitted runs in the order of their start. `lift` is the difference between
    runs in production and runs held out *within the same 50 runs of the same skill*, averaged over all
    blocks so far, with a 95 % confidence sequence: it may be looked at after every block.
    """
    runs = _runs(observations)
    skills = sorted(set(runs.skill))
    rows = [row for skill in skills for row in _rows(skill, runs.of(skill), block)]
    if skills:
        rows += _rows(ALL, runs, block)
    return MOMENTUM.rows(sorted(rows, key=lambda row: str(row["skill"])))


def _runs(observations: pa.Table) -> Runs:
    wanted = (pc.field("grain") == "run") & pc.field("outcome").is_valid() & pc.field("skill").is_valid()
    rows = observations.select(list(NEEDED)).filter(wanted)
    rows = rows.sort_by([("start_time", "ascending"), ("run_id", "ascending")])
    columns = {name: rows.column(name).to_pylist() for name in NEEDED}
    # A run without a session is a cluster of its own.
    pairs = zip(columns["session_id"], columns["run_id"], strict=True)
    sessions = [f"session {session}" if session else f"run {run}" for session, run in pairs]
    return Runs(
        outcome=np.array(columns["outcome"], dtype=np.float64),
        times=columns["start_time"],
        segment=np.array(columns["segment"], dtype=object),
        skill=np.array(columns["skill"], dtype=object),
        cluster=np.unique(np.array(sessions, dtype=str), return_inverse=True)[1],
    )


def _lift(runs: Runs, block: int, control: str) -> tuple[Difference, Ints]:
    """The difference after each stratum (50 runs of a skill), and the last stratum that ends within each block."""
    skill = np.unique(runs.skill.astype(str), return_inverse=True)[1]
    order = np.argsort(skill, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.searchsorted(skill[order], skill[order])
    strata, stratum = np.unique(skill * len(order) + rank // min(block, STRATUM), return_inverse=True)
    last = np.zeros(len(strata), np.int64)
    np.maximum.at(last, stratum, np.arange(len(stratum)))
    # Strata count from when their last run has come, so that no block looks ahead.
    by_end = np.argsort(last)
    number = np.argsort(by_end)[stratum]
    current = runs.segment == SIDES["current"]
    both = current | (runs.segment == SIDES[control])
    found = concurrent_difference(runs.outcome[both], current[both], number[both], runs.cluster[both], len(strata))
    block_ends = np.append(np.arange(block, len(order), block), len(order)) - 1
    return found, np.searchsorted(last[by_end], block_ends, side="right") - 1


def _rows(skill: str, runs: Runs, block: int) -> list[dict[str, object]]:
    found = [(_lift(runs, block, control), names) for control, names in CONTROLS.items()]
    widths = [half_width(difference) for (difference, _), _ in found]
    rows: list[dict[str, object]] = []
    for number, first in enumerate(range(0, len(runs.outcome), block)):
        last = min(first + block, len(runs.outcome))
        row: dict[str, object] = {"skill": skill, "block": number + 1, "runs": last - first}
        row |= {"from_time": runs.times[first], "to_time": runs.times[last - 1]}
        for name, segment in SIDES.items():
            chosen = runs.outcome[first:last][runs.segment[first:last] == segment]
            row |= {name: float(chosen.mean()) if len(chosen) else None, f"{name}_runs": len(chosen)}
        for ((difference, at), names), width in zip(found, widths, strict=True):
            row |= dict(zip(names, _standing(difference, width, int(at[number])), strict=True))
        row["compounding"] = "compounding" if row["compounding"] == "better" else row["compounding"]
        rows.append(row)
    return rows


def _standing(
    difference: Difference, width: Reals, stratum: int
) -> tuple[float | None, float | None, float | None, str]:
    """The difference, its interval, and in a word where it lies."""
    few = stratum < 0 or min(difference.control[stratum], difference.treated[stratum]) < FEWEST
    # Both sides may be large and yet never have met within a stratum.
    if few or not difference.information[stratum]:
        return None, None, None, "not_measured"
    middle = float(difference.estimate[stratum])
    lower, upper = max(-1.0, middle - float(width[stratum])), min(1.0, middle + float(width[stratum]))
    return middle, lower, upper, "better" if lower > 0 else "worse" if upper < 0 else "undecided"
