"""Does the wheel compound? Production against the holdout on the launch baseline, block by block."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flywheel_assets.snapshots.concurrent import Difference, concurrent_difference, half_width
from flywheel_assets.tables.momentum import MOMENTUM
from flywheel_assets.tables.ranked import ranked

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

# Whose runs are compared with which segment's, and the columns that hold what is found.
COMPARED = (
    ("current", "baseline", ("lift", "lower", "upper", "standing")),
    ("current", "frozen", ("over_frozen", "over_frozen_lower", "over_frozen_upper", "compounding")),
    ("artifact", "baseline", ("artifact_lift", "artifact_lower", "artifact_upper", "artifact_standing")),
    (
        "artifact",
        "frozen",
        ("artifact_over_frozen", "artifact_over_frozen_lower", "artifact_over_frozen_upper", "artifact_compounding"),
    ),
)
# What follows from how production stands against the launch baseline, and against the first promotion, frozen.
SAID = {
    ("not_measured", "*"): "not measured: too few runs beside a holdout",
    ("undecided", "*"): "no credible difference from the launch baseline",
    ("undecided", "undecided"): "no compounding: what gain there is, the first promotion brought; "
    "none is credible yet against the launch baseline",
    ("worse", "*"): "worse than the launch baseline",
    ("better", "not_measured"): "better than at launch; whether it compounds cannot be told: nothing is kept on the "
    "first promotion",
    ("better", "undecided"): "better than at launch; no compounding: the gain is the first promotion's",
    ("better", "worse"): "better than at launch, but worse than the first promotion was",
    ("better", "better"): "better than at launch, and it compounds: credibly better than the first promotion",
}


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs in the order of their start, as parallel columns.

    `skill` and `segment` are places in the skills' names in order and in SIDES; -1: of no segment.
    `artifact`: production runs since the skill's newest promotion or rollback.
    """

    outcome: Reals
    times: pa.TimestampArray
    segment: Ints
    skill: Ints
    cluster: Ints
    artifact: NDArray[np.bool_]

    def of(self, skill: int) -> "Runs":
        """One skill's runs."""
        chosen = self.skill == skill
        return Runs(
            self.outcome[chosen],
            self.times.filter(pa.array(chosen)),
            self.segment[chosen],
            np.zeros(chosen.sum(), np.int64),
            self.cluster[chosen],
            self.artifact[chosen],
        )

    def on(self, side: str) -> NDArray[np.bool_]:
        """Which runs are on a side."""
        return self.artifact if side == "artifact" else self.segment == list(SIDES).index(side)


@dataclass(frozen=True, slots=True)
class Strata:
    """Runs of a skill that are compared with each other: each run's, numbered by where its last run is.

    `ended`: the last stratum that ends within each block.
    """

    number: Ints
    count: int
    ended: Ints

    @classmethod
    def of(cls, runs: Runs, block: int) -> "Strata":
        """Some 50 runs of a skill each. They count from when their last run has come, so that no block looks ahead."""
        skill = runs.skill
        order = np.argsort(skill, kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order)) - np.searchsorted(skill[order], skill[order])
        strata, stratum = np.unique(skill * len(order) + rank // min(block, STRATUM), return_inverse=True)
        last = np.zeros(len(strata), np.int64)
        np.maximum.at(last, stratum, np.arange(len(stratum)))
        by_end = np.argsort(last)
        block_ends = np.append(np.arange(block, len(order), block), len(order)) - 1
        ended = np.searchsorted(last[by_end], block_ends, side="right") - 1
        return cls(np.argsort(by_end)[stratum], len(strata), ended)


def momentum(observations: pa.Table, block: int = 100, since: Mapping[str, datetime] | None = None) -> pa.Table:
    """MOMENTUM rows, per skill and for '*', from `gated_observations`.

    `since`: when what is in production now was put there, by skill; without it nothing is said of it alone.

    A block is `block` admitted runs in the order of their start. `lift` is the difference between
    runs in production and runs held out *within the same 50 runs of the same skill*, averaged over all
    blocks so far, with a 95 % confidence sequence: it may be looked at after every block.
    """
    skills, runs = _runs(observations, since or {})
    rows = [row for place, skill in enumerate(skills) for row in _rows(skill, runs.of(place), block)]
    if skills:
        rows += _rows(ALL, runs, block)
    return MOMENTUM.rows(sorted(rows, key=lambda row: str(row["skill"])))


def put_in_production(ledger: pa.Table) -> dict[str, datetime]:
    """When each skill's newest promotion or rollback was decided, from `promotion_decisions`."""
    changes = ledger.filter(pc.field("kind").isin(["promoted", "rolled_back"])).sort_by("seq")
    return dict(zip(changes["skill"].to_pylist(), changes["decided_at"].to_pylist(), strict=True))


def _runs(observations: pa.Table, since: Mapping[str, datetime]) -> tuple[list[str], Runs]:
    """The skills' names in order, and the runs."""
    wanted = (pc.field("grain") == "run") & pc.field("outcome").is_valid() & pc.field("skill").is_valid()
    rows = observations.select(list(NEEDED)).filter(wanted)
    rows = rows.sort_by([("start_time", "ascending"), ("run_id", "ascending")])
    times = rows["start_time"].combine_chunks()
    segment = pc.fill_null(pc.index_in(rows["segment"], pa.array(SIDES.values())), -1).to_numpy().astype(np.int64)
    names, skill = ranked(rows["skill"])
    skills = names.to_pylist()
    artifact = np.zeros(len(times), np.bool_)
    for place, name in enumerate(skills):
        if name in since:
            later = pc.greater(times, pa.scalar(since[name], times.type)).to_numpy(zero_copy_only=False)
            artifact |= (skill == place) & later
    # A run without a session is a cluster of its own.
    alone = pc.equal(pc.fill_null(rows["session_id"], ""), "")
    of_session, of_run = (
        pc.binary_join_element_wise(what, rows[name], "")
        for what, name in (("session ", "session_id"), ("run ", "run_id"))
    )
    runs = Runs(
        outcome=rows["outcome"].to_numpy().astype(np.float64),
        times=times,
        segment=segment,
        skill=skill,
        cluster=ranked(pc.if_else(alone, of_run, of_session))[1],
        artifact=artifact & (segment == list(SIDES).index("current")),
    )
    return skills, runs


def _lift(runs: Runs, strata: Strata, whose: str, control: str) -> Difference:
    """The difference after each stratum."""
    current, both = runs.on(whose), runs.on(whose) | runs.on(control)
    return concurrent_difference(
        runs.outcome[both], current[both], strata.number[both], runs.cluster[both], strata.count
    )


def _rows(skill: str, runs: Runs, block: int) -> list[dict[str, object]]:
    strata = Strata.of(runs, block)
    found = [(_lift(runs, strata, whose, control), names) for whose, control, names in COMPARED]
    widths = [half_width(difference) for difference, _ in found]
    sides = {side: runs.on(side) for side in SIDES}
    rows: list[dict[str, object]] = []
    for number, first in enumerate(range(0, len(runs.outcome), block)):
        last = min(first + block, len(runs.outcome))
        row: dict[str, object] = {"skill": skill, "block": number + 1, "runs": last - first}
        row |= {"from_time": runs.times[first].as_py(), "to_time": runs.times[last - 1].as_py()}
        for name, there in sides.items():
            chosen = runs.outcome[first:last][there[first:last]]
            row |= {name: float(chosen.mean()) if len(chosen) else None, f"{name}_runs": len(chosen)}
        for (difference, names), width in zip(found, widths, strict=True):
            row |= dict(zip(names, _standing(difference, width, int(strata.ended[number])), strict=True))
        row["says"] = _said(row)
        for name in ("compounding", "artifact_compounding"):
            row[name] = "compounding" if row[name] == "better" else row[name]
        rows.append(row)
    return rows


def _said(row: Mapping[str, object]) -> str:
    """What follows, in words, with the part of the gain that came with the first promotion."""
    standing, beyond, lift, more = (row[name] for name in ("standing", "compounding", "lift", "over_frozen"))
    words = SAID.get((str(standing), str(beyond))) or SAID[str(standing), "*"]
    if not isinstance(lift, float) or not isinstance(more, float) or lift <= 0:
        return words
    return f"{words} ({100 * (lift - more):.1f} of {100 * lift:.1f} points)"


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
