"""Evidence: the units that argue for or against a candidate, in order, and what was refused."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Self

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flywheel_assets.decisions.canonical import canonical
from flywheel_assets.decisions.eprocess import Flags, Reals
from flywheel_assets.tables.documents.registration import Registration

TRIAL_ROWS = (Path(__file__).parent / "trial_rows.sql").read_text(encoding="utf-8")
WATCH_ROWS = (Path(__file__).parent / "watch_rows.sql").read_text(encoding="utf-8")
TURN_ROWS = (Path(__file__).parent / "turn_rows.sql").read_text(encoding="utf-8")
JUDGE_ROWS = (Path(__file__).parent / "judge_rows.sql").read_text(encoding="utf-8")
CONTEXT_ROWS = (Path(__file__).parent / "context_rows.sql").read_text(encoding="utf-8")
JUDGES_SAID = """
    SELECT target_kind, target_id, name, tier, value, author_id, author_version, observed_at
    FROM feedback WHERE tier = 'judge'
"""
HASHED = ("run_id", "unit_id", "start_us", "candidate", "outcome", "error_rate", "cost_usd", "seconds")


UNTOLD = pa.schema([("start_us", pa.int64()), ("candidate", pa.bool_()), ("at_once", pa.int64())])


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row per unit, in the order in which outcomes became known; `refused` counts the rest by reason.

    An outcome that comes late is added at the end: in the order of the starts it would come in between,
    every bet after it would be another, and an e-process that was looked at before would not be one.

    `untold`: runs of the trial whose outcome nobody stated though its time has passed (columns UNTOLD).
    """

    rows: pa.Table
    refused: Mapping[str, int]
    untold: pa.Table = field(default_factory=UNTOLD.empty_table)

    @classmethod
    def none(cls) -> Self:
        """What a trial has when it is registered."""
        return cls(pa.table({name: [] for name in HASHED}), {})

    @classmethod
    def of(cls, candidate: Flags, outcome: Reals, **columns: pa.Array) -> Self:
        """Units in order that no table holds: what drills and simulations make up."""
        known = {"candidate": pa.array(candidate), "outcome": pa.array(outcome)}
        return cls(pa.table(_numbered(len(candidate)) | known | columns), {})

    @property
    def candidate(self) -> Flags:
        """Whether each unit had the candidate."""
        return np.asarray(self.rows.column("candidate").to_numpy(), dtype=np.bool_)

    @property
    def outcome(self) -> Reals:
        """Each unit's outcome."""
        return self.metric("outcome")

    def metric(self, name: str) -> Reals:
        """A measurement per unit, NaN where it was not reported."""
        return np.asarray(self.rows.column(name).to_numpy(), dtype=np.float64)

    @property
    def at_once(self) -> NDArray[np.int64]:
        """How many candidates shared the draw that each unit fell into."""
        if "at_once" not in self.rows.column_names:
            return np.ones(self.rows.num_rows, dtype=np.int64)
        return np.asarray(self.rows.column("at_once").to_numpy(), dtype=np.int64)

    @property
    def outdated(self) -> list[str | None]:
        """For each unit whose outcome an earlier version of a judge gave, which one, and what it is now."""
        if "outdated" not in self.rows.column_names:
            return [None] * self.rows.num_rows
        return self.rows.column("outdated").to_pylist()

    @property
    def units(self) -> tuple[int, int]:
        """Units with the candidate, and with what it is compared with."""
        first = int(self.candidate.sum())
        return first, self.rows.num_rows - first

    def group(self, name: str) -> NDArray[np.str_]:
        """What each unit belongs to by a column; units that do not say are told apart from all others."""
        if name not in self.rows.column_names:
            return np.full(self.rows.num_rows, "", dtype=np.str_)
        stated: list[str | None] = self.rows.column(name).to_pylist()
        return np.array([f"(unit {at})" if one is None else one for at, one in enumerate(stated)], dtype=np.str_)

    def context(self, key: str) -> list[str | None]:
        """The value of a context key, unit by unit; None where it is not stated."""
        if "context_json" not in self.rows.column_names:
            return [None] * self.rows.num_rows
        stated = (json.loads(text) if text else {} for text in self.rows.column("context_json").to_pylist())
        found = (one.get(key) if isinstance(one, dict) else None for one in stated)
        return [None if one is None else one if isinstance(one, str) else canonical(one) for one in found]

    def first(self, count: int) -> "Evidence":
        """The first so many units, and what was not told of those that started no later."""
        rows = self.rows.slice(0, count)
        if not self.untold.num_rows:
            return Evidence(rows, self.refused, self.untold)
        last = int(rows.column("start_us").to_numpy().max(initial=-1))
        return Evidence(rows, self.refused, self.untold.filter(pc.field("start_us") <= last))

    @property
    def difference(self) -> float | None:
        """Mean outcome of the candidate minus the other's; None where they have no units of one draw."""
        return self.difference_in(self.outcome)

    def difference_in(self, values: Reals) -> float | None:
        """Mean of the candidate's values, one per unit, minus the other's; NaN is not measured.

        Only units drawn with the same shares are compared, or time would come between them: how many
        candidates share the draw changes along a trial. Draws weigh n₁n₀/(n₁+n₀).
        """
        known, candidate, at_once = ~np.isnan(values), self.candidate, self.at_once
        found: list[tuple[float, float]] = []
        for several in np.unique(at_once):
            drawn = known & (at_once == several)
            ours, theirs = values[drawn & candidate], values[drawn & ~candidate]
            if len(ours) and len(theirs):
                weight = len(ours) * len(theirs) / (len(ours) + len(theirs))
                found.append((weight, float(ours.mean() - theirs.mean())))
        return sum(weight * one for weight, one in found) / sum(weight for weight, _ in found) if found else None

    @property
    def days(self) -> list[str]:
        """UTC days with evidence, ascending."""
        return sorted(self.rows.column("day").unique().to_pylist())

    @property
    def hash(self) -> str:
        """SHA-256 of the rows in order, one canonical JSON line each; with the draws where they were shared."""
        names = (*HASHED, "at_once") if (self.at_once > 1).any() else HASHED
        rows = zip(*(self.rows.column(name).to_pylist() for name in names), strict=True)
        return hashlib.sha256("".join(f"{canonical(row)}\n" for row in rows).encode()).hexdigest()


def of_turn(
    con: duckdb.DuckDBPyConnection, open_trials: Sequence[Registration], promoted: Mapping[str, datetime]
) -> duckdb.DuckDBPyConnection:
    """A connection with just what looks at these trials and promotions (skill → when) read.

    Without it every look would read all observations of `con` again.
    """
    values = {
        "open": [one.experiment_id for one in open_trials],
        "promoted": list(promoted),
        "since": min(promoted.values(), default=datetime.max.replace(tzinfo=UTC)),
    }
    found = con.execute(TURN_ROWS, values).to_arrow_table()
    looked_at = con.cursor()
    looked_at.register("found", found)
    looked_at.execute("CREATE TEMP TABLE gated_observations AS FROM found")
    if any(one.slices for one in open_trials):
        looked_at.register("contexts", _contexts(con, found))
        looked_at.execute("CREATE TEMP TABLE agent_runs AS FROM contexts")
    if _judged(found).num_rows and _has_feedback(con):
        looked_at.register("said", con.execute(JUDGES_SAID).to_arrow_table())
        looked_at.execute("CREATE TEMP TABLE feedback AS FROM said")
    return looked_at


def of_trial(con: duckdb.DuckDBPyConnection, registration: Registration) -> Evidence:
    """Evidence of a registered trial from `gated_observations` on `con`.

    Rows that carry the registration's id but contradict it are refused. A unit counts once, by its
    first run. Rows that started before the registration cannot have been randomised by it.
    """
    found = _gather(
        con,
        TRIAL_ROWS,
        {
            "experiment_id": registration.experiment_id,
            "skill": registration.skill,
            "candidate_arm": registration.candidate_arm,
            "incumbent_arm": registration.incumbent_arm,
            "canary_share": registration.canary_share,
            "incumbent_share": registration.incumbent_share,
            "registered_at": registration.registered_at,
        },
    )
    found = _with_judges(con, found)
    return _with_context(con, found) if registration.slices else found


def since_promotion(con: duckdb.DuckDBPyConnection, registration: Registration, since: datetime) -> Evidence:
    """Evidence on a promoted arm in production against its predecessor wherever that still runs."""
    return _gather(
        con,
        WATCH_ROWS,
        {
            "skill": registration.skill,
            "since": since,
            "promoted_arm": registration.candidate_arm,
            "previous_arm": registration.incumbent_arm,
        },
    )


@lru_cache(maxsize=64)
def _numbered(count: int) -> dict[str, pa.Array]:
    """So many units that are told apart by their number and of which nothing was measured."""
    numbers = pa.array(np.arange(count))
    words = numbers.cast(pa.string())
    return {
        "run_id": words,
        "unit_id": words,
        "start_us": numbers,
        "day": pa.array(["1970-01-01"] * count, pa.string()),
        "candidate": numbers,
        "at_once": pa.array(np.ones(count, dtype=np.int64)),
        "outcome": numbers,
        **{name: pa.nulls(count, pa.float64()) for name in ("error_rate", "cost_usd", "seconds")},
    }


def _judged(rows: pa.Table) -> pa.Table:
    """Units whose outcome is a judge's."""
    return rows.filter(pc.field("tier") == "judge").select(["run_id", "trace_id", "root_span_id"])


def _with_judges(con: duckdb.DuckDBPyConnection, evidence: Evidence) -> Evidence:
    """The same units, with whether a judge that labelled them has changed since, from `feedback` on `con`."""
    judged = _judged(evidence.rows)
    if not judged.num_rows or not _has_feedback(con):
        return evidence
    con.register("judged_runs", judged)
    found = con.execute(JUDGE_ROWS).to_arrow_table()
    words = dict(zip(found.column("run_id").to_pylist(), found.column("outdated").to_pylist(), strict=True))
    texts = pa.array([words.get(run) for run in evidence.rows.column("run_id").to_pylist()], pa.string())
    return Evidence(evidence.rows.append_column("outdated", texts), evidence.refused, evidence.untold)


def _has_feedback(con: duckdb.DuckDBPyConnection) -> bool:
    """Verdicts from before judges were looked at pin no version of it: they are derived again without."""
    return bool(con.execute("SELECT 1 FROM information_schema.tables WHERE table_name = 'feedback'").fetchone())


def _with_context(con: duckdb.DuckDBPyConnection, evidence: Evidence) -> Evidence:
    """The same units with what was known before they acted, from `agent_runs` on `con`."""
    found = _contexts(con, evidence.rows)
    contexts = dict(zip(found.column("run_id").to_pylist(), found.column("context_json").to_pylist(), strict=True))
    texts = pa.array([contexts.get(run) for run in evidence.rows.column("run_id").to_pylist()], pa.string())
    return Evidence(evidence.rows.append_column("context_json", texts), evidence.refused, evidence.untold)


def _contexts(con: duckdb.DuckDBPyConnection, rows: pa.Table) -> pa.Table:
    con.register("evidence_runs", rows.select(["run_id"]))
    return con.execute(CONTEXT_ROWS).to_arrow_table()


def _gather(con: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object]) -> Evidence:
    found = con.execute(sql, dict(values)).to_arrow_table()
    refusal = found.column("refusal")
    refused = {row["values"]: row["counts"] for row in refusal.drop_null().value_counts().to_pylist()}
    missing = (pc.field("refusal") == "no_outcome") & (pc.field("state") == "missing")
    untold = found.filter(missing).select(UNTOLD.names).cast(UNTOLD)
    rows = found.filter(refusal.is_null()).drop_columns(["refusal", "state"])
    return Evidence(rows, dict(sorted(refused.items())), untold)
