"""Holds what one session, one user or one outage says beyond its fair part, whatever it says.

A share that anyone can take by talking more is a way to decide for everybody. The first runs count,
in the order of their start; those above the cap are kept, held, and can be released. Equal errors within
an hour are one event; an arm that fails alike all day long is a bad arm, and every failure counts. A service that
brings most runs is the traffic itself and has no cap: others' word against its is weighed by `out_of_line`.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.numbered import earlier, numbered
from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import ALLOW, Verdict, hold

# In microseconds, as tables count time.
HOUR = 3_600_000_000
_COUNTED = ("skill", "arm", "session_id", "principal_id", "service_name", "run_id", "error_type", "started")


@dataclass(frozen=True, slots=True)
class Influence:
    """Caps per skill, arm and day.

    Of a session; of a user, and of an error in an hour, as a share of all runs but never below `least`.
    """

    of_session: int = 20
    share_of_user: float = 0.2
    share_of_error: float = 0.1
    least: int = 50
    name: str = "influence"
    version: str = "2"
    order: int = 65
    by_row: bool = False

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Runs of services, which stand for many people, are not capped as if they were one."""
        rows = evidence.rows.append_column("started", pc.cast(evidence.rows["start_time"], pa.int64()))
        runs = rows.select(_COUNTED).filter(pc.equal(rows["grain"], "run"))
        runs = runs.sort_by([("started", "ascending"), ("run_id", "ascending")])
        cell = numbered(runs["skill"], runs["arm"])
        total = np.bincount(cell)
        error, hour = _signatures(runs["error_type"]), pa.chunked_array([runs["started"].to_numpy() // HOUR % 24])
        of_user, of_error = (
            np.maximum(self.least, (share * total).astype(np.int64))
            for share in (self.share_of_user, self.share_of_error)
        )
        over: dict[str, Verdict] = {}
        for kind, who, known, cap in (
            ("session", (runs["session_id"],), runs["session_id"].is_valid(), np.full(len(total), self.of_session)),
            ("user", (runs["principal_id"],), _of_users(runs), of_user),
            ("error", (error, hour), error.is_valid(), of_error),
        ):
            mine = np.flatnonzero(known.to_numpy())
            cells = cell[mine]
            many = mine[earlier(numbered(*who)[mine] * len(total) + cells) >= cap[cells]]
            over |= dict.fromkeys(runs["run_id"].take(pa.array(many)).to_pylist(), _OVER[kind])
        return [over.get(run, ALLOW) for run in rows["run_id"].to_pylist()] if over else [ALLOW] * rows.num_rows


def _of_users(runs: pa.Table) -> pa.ChunkedArray:
    """Which runs are a user's: one without carries its service's name as principal."""
    services = pc.fill_null(pc.equal(runs["principal_id"], runs["service_name"]), False)
    return pc.and_not(runs["principal_id"].is_valid(), services)


def _signatures(errors: pa.ChunkedArray) -> pa.ChunkedArray:
    """What equal errors share: numbers and ids taken out; NULL where there was none."""
    encoded = errors.combine_chunks().dictionary_encode()
    told = [re.sub(r"\b[0-9a-f]{8,}\b|\d+", "#", error) or None for error in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(told, pa.string()).take(encoded.indices)])


_OVER = {
    kind: hold(f"{kind}_over_cap", f"the {kind} has more runs of this arm than count, of today or of this hour")
    for kind in ("session", "user", "error")
}
GATE = Influence()
