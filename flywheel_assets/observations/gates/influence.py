"""Holds what one session, one user or one outage says beyond its fair part, whatever it says.

A share that anyone can take by talking more is a way to decide for everybody. The first runs count,
in the order of their start; those above the cap are kept, held, and can be released. Equal errors within
an hour are one event; an arm that fails alike all day long is a bad arm, and every failure counts. A service that
brings most runs is the traffic itself and has no cap: others' word against its is weighed by `out_of_line`.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

import re
from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import ALLOW, Verdict, hold

# In microseconds, as tables count time.
HOUR = 3_600_000_000


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
        columns = ("skill", "arm", "session_id", "principal_id", "service_name", "run_id", "grain", "error_type")
        started = pc.cast(evidence.rows["start_time"], pa.int64())
        rows = evidence.rows.select(columns).append_column("started", started).to_pylist()
        total = Counter((row["skill"], row["arm"]) for row in rows if row["grain"] == "run")
        seen: Counter[tuple[object, ...]] = Counter()
        over: dict[str, Verdict] = {}
        for row in sorted(rows, key=lambda row: (row["started"], row["run_id"])):
            if row["grain"] != "run":
                continue
            cell = (row["skill"], row["arm"])
            user = row["principal_id"] if row["principal_id"] != row["service_name"] else None
            of_user = max(self.least, int(self.share_of_user * total[cell]))
            error = (_signature(row["error_type"]), row["started"] // HOUR % 24) if row["error_type"] else None
            of_error = max(self.least, int(self.share_of_error * total[cell]))
            caps = (
                ("session", row["session_id"], self.of_session),
                ("user", user, of_user),
                ("error", error, of_error),
            )
            for kind, who, cap in caps:
                if who is not None:
                    seen[kind, who, *cell] += 1
                    if seen[kind, who, *cell] > cap:
                        over[row["run_id"]] = _OVER[kind]
        return [over.get(row["run_id"], ALLOW) for row in rows]


def _signature(error: str) -> str:
    """What equal errors share: numbers and ids taken out."""
    return re.sub(r"\b[0-9a-f]{8,}\b|\d+", "#", error)


_OVER = {
    kind: hold(f"{kind}_over_cap", f"the {kind} has more runs of this arm than count, of today or of this hour")
    for kind in ("session", "user", "error")
}
GATE = Influence()
