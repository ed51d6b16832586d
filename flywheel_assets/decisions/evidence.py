"""Evidence: the units that argue for or against a candidate, in order, and what was refused."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Self

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flywheel_assets.decisions.canonical import canonical, canonical_each
from flywheel_assets.decisions.stakes import Flags, Reals
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.ranked import ranked

TRIAL_ROWS = (Path(__file__).parent / "trial_rows.sql").read_text(encoding="utf-8")
WATCH_ROWS = (Path(__file__).parent / "watch_rows.sql").read_text(encoding="utf-8")
TURN_ROWS = (Path(__file__).parent / "turn_rows.sql").read_text(encoding="utf-8")
JUDGE_ROWS = (Path(__file__).parent / "judge_rows.sql").read_text(encoding="utf-8")
CONTEXT_ROWS = (Path(__file__).parent / "context_rows.sql").read_text(encoding="utf-8")
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

    def groups(self, name: str) -> tuple[pa.Array, NDArray[np.int64]]:
        """What units belong to by a column, in order, and to which of them each unit does.

        Units that do not say are told apart from all others; without the column all belong to ''.
        """
        if name not in self.rows.column_names:
            return pa.array([""]), np.zeros(self.rows.num_rows, dtype=np.int64)
        stated = self.rows.column(name)
        if stated.null_count:
            stated = pc.coalesce(stated, pa.array([f"(unit {at})" for at in range(len(stated))], pa.string()))
        return ranked(stated)

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
        rows = zip(*(canonical_each(self.rows.column(name).to_pylist()) for name in names), strict=True)
        return hashlib.sha256("".join(f"[{','.join(row)}]\n" for row in rows).encode()).hexdigest()


def of_promotions(con: duckdb.DuckDBPyConnection, promoted: Mapping[str, datetime]) -> duckdb.DuckDBPyConnection:
    """A connection with just what looks at these promotions (skill → when) read.

    Without it every look would read all observations of `con` again.
    """
    values = {"promoted": list(promoted), "since": min(promoted.values(), default=datetime.max.replace(tzinfo=UTC))}
    looked_at = con.cursor()
    looked_at.register("found", con.execute(TURN_ROWS, values).to_arrow_table())
    looked_at.execute("CREATE TEMP TABLE gated_observations AS FROM found")
    return looked_at


def of_trial(con: duckdb.DuckDBPyConnection, registration: Registration) -> Evidence:
    """Evidence of one registered trial."""
    return of_trials(con, [registration])[registration.experiment_id]


def of_trials(con: duckdb.DuckDBPyConnection, registrations: Sequence[Registration]) -> dict[str, Evidence]:
    """Evidence of registered trials by experiment id, from `gated_observations` on `con` in one pass.

    Rows that carry a registration's id but contradict it are refused. A unit counts once, by its
    first run. Rows that started before the registration cannot have been randomised by it.
    """
    if not registrations:
        return {}
    con.register("registrations", _registered(registrations))
    found = _with_judges(con, con.execute(TRIAL_ROWS).to_arrow_table())
    if any(one.slices for one in registrations):
        found = _with_context(con, found)
    ends = np.searchsorted(found.column("place").to_numpy(), np.arange(len(registrations) + 1)).tolist()
    rows = found.drop_columns(["place"])
    parts = (rows.slice(first, end - first) for first, end in pairwise(ends))
    return {one.experiment_id: _told(part) for one, part in zip(registrations, parts, strict=True)}


def since_promotion(con: duckdb.DuckDBPyConnection, registration: Registration, since: datetime) -> Evidence:
    """Evidence on a promoted arm in production against its predecessor wherever that still runs."""
    values = {
        "skill": registration.skill,
        "since": since,
        "promoted_arm": registration.candidate_arm,
        "previous_arm": registration.incumbent_arm,
    }
    return _told(con.execute(WATCH_ROWS, values).to_arrow_table())


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


def _registered(registrations: Sequence[Registration]) -> pa.Table:
    """What the rows of each trial are held against."""
    return pa.table(
        {
            "place": pa.array(range(len(registrations)), pa.int64()),
            "registration_id": [one.experiment_id for one in registrations],
            "registered_at": pa.array([one.registered_at for one in registrations], pa.timestamp("us", "UTC")),
            **{
                name: [getattr(one, name) for one in registrations]
                for name in ("skill", "candidate_arm", "incumbent_arm", "canary_share", "incumbent_share")
            },
        }
    )


def _with_judges(con: duckdb.DuckDBPyConnection, rows: pa.Table) -> pa.Table:
    """The same rows, with whether a judge that labelled them has changed since, from `feedback` on `con`."""
    judged = rows.filter(pc.field("tier") == "judge").select(["run_id", "trace_id", "root_span_id"])
    if not judged.num_rows or not _has_feedback(con):
        return rows
    con.register("judged_runs", judged)
    return _stated(rows, con.execute(JUDGE_ROWS).to_arrow_table(), "outdated")


def _has_feedback(con: duckdb.DuckDBPyConnection) -> bool:
    """Verdicts from before judges were looked at pin no version of it: they are derived again without."""
    return bool(con.execute("SELECT 1 FROM information_schema.tables WHERE table_name = 'feedback'").fetchall())


def _with_context(con: duckdb.DuckDBPyConnection, rows: pa.Table) -> pa.Table:
    """The same rows with what was known before they acted, from `agent_runs` on `con`."""
    con.register("evidence_runs", rows.select(["run_id"]))
    return _stated(rows, con.execute(CONTEXT_ROWS).to_arrow_table(), "context_json")


def _stated(rows: pa.Table, found: pa.Table, name: str) -> pa.Table:
    """The same rows with a text that was found for some runs."""
    texts = dict(zip(found.column("run_id").to_pylist(), found.column(name).to_pylist(), strict=True))
    return rows.append_column(name, pa.array(map(texts.get, rows.column("run_id").to_pylist()), pa.string()))


def _told(found: pa.Table) -> Evidence:
    refusal = found.column("refusal")
    refused = {row["values"]: row["counts"] for row in refusal.drop_null().value_counts().to_pylist()}
    missing = (pc.field("refusal") == "no_outcome") & (pc.field("state") == "missing")
    untold = found.filter(missing).select(UNTOLD.names).cast(UNTOLD)
    rows = found.filter(refusal.is_null()).drop_columns(["refusal", "state"])
    return Evidence(rows, dict(sorted(refused.items())), untold)
