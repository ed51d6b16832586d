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
    ("production", "baseline", ("lift", "lower", "upper", "standing")),
    ("production", "frozen", ("over_frozen", "over_frozen_lower", "over_frozen_upper", "compounding")),
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

    `code` numbers the skills. `artifact`: production runs since the skill's newest promotion or rollback.
    """

    outcome: Reals
    times: pa.TimestampArray
    segment: NDArray[np.object_]
    skill: NDArray[np.object_]
    code: Ints
    cluster: Ints
    artifact: NDArray[np.bool_]

    def of(self, skill: str) -> "Runs":
        """One skill's runs."""
        chosen = self.skill == skill
        return Runs(
            self.outcome[chosen],
            self.times.filter(pa.array(chosen)),
            self.segment[chosen],
            self.skill[chosen],
            np.zeros(chosen.sum(), np.int64),
            self.cluster[chosen],
            self.artifact[chosen],
        )


def momentum(observations: pa.Table, block: int = 100, since: Mapping[str, datetime] | None = None) -> pa.Table:
    """MOMENTUM rows, per skill and for '*', from `gated_observations`.

    `since`: when what is in production now was put there, by skill; without it nothing is said of it alone.

    A block is `block` admitted runs in the order of their start. `lift` is the difference between
    runs in production and runs held out *within the same 50 runs of the same skill*, averaged over all
    blocks so far, with a 95 % confidence sequence: it may be looked at after every block.
    """
    runs = _runs(observations, since or {})
    skills = sorted(set(runs.skill))
    rows = [row for skill in skills for row in _rows(skill, runs.of(skill), block)]
    if skills:
        rows += _rows(ALL, runs, block)
    return MOMENTUM.rows(sorted(rows, key=lambda row: str(row["skill"])))


def put_in_production(ledger: pa.Table) -> dict[str, datetime]:
    """When each skill's newest promotion or rollback was decided, from `promotion_decisions`."""
    changes = ledger.filter(pc.field("kind").isin(["promoted", "rolled_back"])).sort_by("seq")
    return dict(zip(changes["skill"].to_pylist(), changes["decided_at"].to_pylist(), strict=True))


def _runs(observations: pa.Table, since: Mapping[str, datetime]) -> Runs:
    wanted = (pc.field("grain") == "run") & pc.field("outcome").is_valid() & pc.field("skill").is_valid()
    rows = observations.select(list(NEEDED)).filter(wanted)
    rows = rows.sort_by([("start_time", "ascending"), ("run_id", "ascending")])
    times = rows["start_time"].combine_chunks()
    segment, skill = (np.array(rows[name].to_pylist(), dtype=object) for name in ("segment", "skill"))
    artifact = np.zeros(len(times), np.bool_)
    for name, moment in since.items():
        artifact |= (skill == name) & pc.greater(times, pa.scalar(moment, times.type)).to_numpy(zero_copy_only=False)
    # A run without a session is a cluster of its own.
    alone = pc.equal(pc.fill_null(rows["session_id"], ""), "")
    of_session, of_run = (
        pc.binary_join_element_wise(what, rows[name], "")
        for what, name in (("session ", "session_id"), ("run ", "run_id"))
    )
    return Runs(
        outcome=rows["outcome"].to_numpy().astype(np.float64),
        times=times,
        segment=segment,
        skill=skill,
        code=_numbered(rows["skill"]),
        cluster=_numbered(pc.if_else(alone, of_run, of_session)),
        artifact=artifact & (segment == SIDES["current"]),
    )


def _numbered(values: pa.ChunkedArray) -> Ints:
    """Each value's place among the distinct ones in order."""
    found = pc.dictionary_encode(values.combine_chunks())
    places = np.empty(len(found.dictionary), np.int64)
    places[pc.array_sort_indices(found.dictionary).to_numpy()] = np.arange(len(places))
    return places[found.indices.to_numpy()]


def _lift(runs: Runs, block: int, whose: str, control: str) -> tuple[Difference, Ints]:
    """The difference after each stratum (50 runs of a skill), and the last stratum that ends within each block."""
    skill = runs.code
    order = np.argsort(skill, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.searchsorted(skill[order], skill[order])
    strata, stratum = np.unique(skill * len(order) + rank // min(block, STRATUM), return_inverse=True)
    last = np.zeros(len(strata), np.int64)
    np.maximum.at(last, stratum, np.arange(len(stratum)))
    # Strata count from when their last run has come, so that no block looks ahead.
    by_end = np.argsort(last)
    number = np.argsort(by_end)[stratum]
    current = runs.artifact if whose == "artifact" else runs.segment == SIDES["current"]
    both = current | (runs.segment == SIDES[control])
    found = concurrent_difference(runs.outcome[both], current[both], number[both], runs.cluster[both], len(strata))
    block_ends = np.append(np.arange(block, len(order), block), len(order)) - 1
    return found, np.searchsorted(last[by_end], block_ends, side="right") - 1


def _rows(skill: str, runs: Runs, block: int) -> list[dict[str, object]]:
    found = [(_lift(runs, block, whose, control), names) for whose, control, names in COMPARED]
    widths = [half_width(difference) for (difference, _), _ in found]
    rows: list[dict[str, object]] = []
    for number, first in enumerate(range(0, len(runs.outcome), block)):
        last = min(first + block, len(runs.outcome))
        row: dict[str, object] = {"skill": skill, "block": number + 1, "runs": last - first}
        row |= {"from_time": runs.times[first].as_py(), "to_time": runs.times[last - 1].as_py()}
        for name, segment in SIDES.items():
            chosen = runs.outcome[first:last][runs.segment[first:last] == segment]
            row |= {name: float(chosen.mean()) if len(chosen) else None, f"{name}_runs": len(chosen)}
        for ((difference, at), names), width in zip(found, widths, strict=True):
            row |= dict(zip(names, _standing(difference, width, int(at[number])), strict=True))
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
