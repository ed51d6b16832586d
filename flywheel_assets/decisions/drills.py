"""Drills on own traffic: identical arms, permuted labels, and planted arms, through the code that decides.

Each trial takes one arm's own runs and calls a random half of them the candidate's. What is planted is
planted in these copies alone; no agent and no ledger sees it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import betaincinv

from flywheel_assets.decisions.eprocess import assignment, randomised
from flywheel_assets.decisions.evidence import Evidence
from flywheel_assets.decisions.rehearsal import QUIET, UNTOLD, Rehearsed, may_tell, rehearse
from flywheel_assets.decisions.stakes import Flags, Reals
from flywheel_assets.decisions.trial import Bets, Conditions, IdenticalArms, Trial
from flywheel_assets.lake.fingerprint import fingerprints
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.drills import DRILLS
from flywheel_assets.tables.steps import DRILL

ROWS = (Path(__file__).parent / "drills.sql").read_text(encoding="utf-8")
ALPHA, EVERY = 0.05, 100
# Below so many units no trial says anything; above, more would cost seconds a turn.
FEWEST, MOST = 200, 1000
CONDITIONS = Conditions(predecessor_known=True)
REPORTER = "planted reporter"
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Drill:
    """A kind of drill: how many trials, and what is done to a copy of the outcomes and users."""

    truth: str
    trials: int
    plant: Callable[[Rng, Reals, Flags], Reals]
    reporter: bool = False


def _as_they_are(_rng: Rng, outcome: Reals, _candidate: Flags) -> Reals:
    return outcome


def _permuted(rng: Rng, outcome: Reals, _candidate: Flags) -> Reals:
    return rng.permutation(outcome)


def _lifted(points: float) -> Callable[[Rng, Reals, Flags], Reals]:
    """The candidate's outcomes moved towards 1 (or 0) in as many of its runs as changes their mean by `points`."""

    def plant(rng: Rng, outcome: Reals, candidate: Flags) -> Reals:
        goal = 1.0 if points > 0 else 0.0
        room = abs(goal - float(outcome.mean()))
        moved = candidate & (rng.random(len(outcome)) < (abs(points) / room if room else 0.0))
        return np.where(moved, goal, outcome)

    return plant


KINDS: Mapping[str, Drill] = {
    "identical": Drill("not_better", 30, _as_they_are),
    "permuted": Drill("not_better", 20, _permuted),
    "better_5": Drill("better", 8, _lifted(0.05)),
    "better_10": Drill("better", 8, _lifted(0.10)),
    "worse_10": Drill("not_better", 8, _lifted(-0.10)),
    "poisoned": Drill("falsified", 8, _as_they_are, reporter=True),
}
WORDS = {
    "not_better": "promotions here are false: as many as promised, at most",
    "better": "the share of promotions is the power at this traffic",
    "falsified": "one user with a tenth of the units praises the candidate: promotions here are misses",
}


def drills(con: duckdb.DuckDBPyConnection, now: datetime, seed: int, before: pa.Table | None = None) -> pa.Table:
    """DRILLS for every skill in `gated_observations` on `con`; the same rows and seed give the same table.

    Skills whose runs are those that `before`, an earlier such table, was drawn from keep its rows.
    """
    found = con.execute(ROWS, {"most": MOST, "fewest": FEWEST, "every": EVERY}).to_arrow_table()
    kept = {
        (row["skill"], row["drill"], row["drawn_from"]): row
        for row in (DRILLS.empty() if before is None else before).to_pylist()
    }
    rows: list[dict[str, object]] = []
    skills = sorted(set(found.column("skill").to_pylist()))
    drawn = [found.filter(pc.field("skill") == skill) for skill in skills]
    for skill, units, content in zip(skills, drawn, fingerprints(drawn) if drawn else [], strict=True):
        drawn_from = f"{content}/{seed}/{DRILL.version}"
        for name, drill in KINDS.items():
            named = int.from_bytes(hashlib.sha256(f"{skill}\n{name}".encode()).digest()[:8], "big")
            own = {"skill": skill, "drill": name, "drawn_from": drawn_from}
            rng = np.random.default_rng([seed, named])
            rows.append(kept.get((skill, name, drawn_from)) or own | _drilled(units, drill, rng, now))
    return DRILLS.conform(DRILLS.rows(rows))


def identical_arms(found: pa.Table) -> IdenticalArms:
    """How all trials went in which no arm was better and nothing was planted."""
    rows = [row for row in found.to_pylist() if row["drill"] in ("identical", "permuted")]
    return IdenticalArms(
        trials=sum(row["trials"] for row in rows), promoted=sum(row["promoted"] for row in rows), nominal=ALPHA
    )


def _drilled(units: pa.Table, drill: Drill, rng: Rng, now: datetime) -> dict[str, object]:
    """What one kind of drill came to on one skill's units."""
    nominal = ALPHA if drill.truth == "not_better" else None
    counts = {"trials": 0, "promoted": 0, "abandoned": 0, "undecided": 0}
    common = {"truth": drill.truth, "units": units.num_rows, "nominal": nominal, **counts}
    if units.num_rows < FEWEST:
        return {**common, "reason": f"not measured: {units.num_rows} units on the busiest arm, {FEWEST} are needed"}
    ended = _ended(units, drill, rng, now)
    kinds = [one.kind for one in ended]
    promoted = kinds.count("promoted")
    needed = [one.units for one in ended if one.kind == "promoted"]
    return {
        **common,
        "arm": units.column("arm")[0].as_py(),
        "trials": len(ended),
        "promoted": promoted,
        "abandoned": kinds.count("abandoned"),
        "undecided": kinds.count("held"),
        "observed": promoted / len(ended),
        "lower": float(betaincinv(promoted, len(ended) - promoted + 1, 0.025)) if promoted else 0.0,
        "upper": float(betaincinv(promoted + 1, len(ended) - promoted, 0.975)) if promoted < len(ended) else 1.0,
        "units_to_promotion": float(np.median(needed)) if needed else None,
        "reason": WORDS[drill.truth],
    }


def _ended(units: pa.Table, drill: Drill, rng: Rng, now: datetime) -> list[Rehearsed]:
    """How the trials ended. Whether a look can tell anything is asked of all of them at once."""
    registration, count = _registration(units.num_rows, now), units.num_rows
    drawn = [_drawn(units, drill, rng) for _ in range(drill.trials)]
    candidate, outcome = np.column_stack([one for one, *_ in drawn]), np.column_stack([one for _, one, _ in drawn])
    looks = np.array([*range(EVERY, count, EVERY), count])
    share = registration.canary_share / (registration.canary_share + registration.incumbent_share)
    design = Trial(registration, Evidence.none(), CONDITIONS).design
    bets = Bets(randomised(candidate, outcome, share, design), assignment(candidate, share))
    told = may_tell(registration, bets, looks)

    def ended(trial: int) -> Rehearsed:
        if not told[:, trial].any():
            return UNTOLD
        mine, said, users = drawn[trial]
        evidence = Evidence.of(mine, said, day=units.column("day"), principal=users)
        return rehearse(Trial(registration, evidence, CONDITIONS, bets[:, trial]), looks[told[:, trial]].tolist())

    return [ended(trial) for trial in range(drill.trials)]


def _drawn(units: pa.Table, drill: Drill, rng: Rng) -> tuple[Flags, Reals, pa.Array]:
    """Two halves of the same runs: which are the candidate's, and what is planted: outcomes and users."""
    count = units.num_rows
    candidate = rng.random(count) < 0.5
    outcome = drill.plant(rng, units.column("outcome").to_numpy(), candidate)
    users = units.column("principal_id")
    if drill.reporter:
        loud = rng.random(count) < 0.1
        outcome = np.where(loud, candidate.astype(np.float64), outcome)
        users = pa.array(np.where(loud, REPORTER, np.array(users.to_pylist(), dtype=object)), pa.string())
    return candidate, outcome, users


def _registration(units: int, now: datetime) -> Registration:
    return Registration(
        experiment_id="drill",
        skill="drill",
        kind="routing",
        candidate_arm="one half",
        incumbent_arm="the other",
        margin=0.0,
        canary_share=0.5,
        incumbent_share=0.5,
        guardrails=(),
        alpha=ALPHA,
        position=1,
        # Undecided after all units is told apart from given up.
        max_units=units + 1,
        needs_approval=False,
        registered_at=now,
        criteria=tuple(sorted(QUIET)),
        design_effects=(0.05, 0.1),
        candidate_id="drill",
    )
