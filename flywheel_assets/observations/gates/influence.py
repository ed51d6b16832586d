"""Holds what one session or one user says beyond its fair part, whatever it says.

A share that anyone can take by talking more is a way to decide for everybody. The first runs count,
in the order of their start; those above the cap are kept, held, and can be released.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from collections import Counter
from dataclasses import dataclass

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import ALLOW, Verdict, hold


@dataclass(frozen=True, slots=True)
class Influence:
    """Caps per skill, arm and day: of a session, and of a user as a share of all runs but never below `least`."""

    of_session: int = 20
    share_of_user: float = 0.2
    least: int = 50
    name: str = "influence"
    version: str = "1"
    order: int = 65
    by_row: bool = False

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Runs of services, which stand for many people, are not capped as if they were one."""
        columns = ("skill", "arm", "session_id", "principal_id", "service_name", "run_id", "grain", "start_time")
        rows = evidence.rows.select(columns).to_pylist()
        total = Counter((row["skill"], row["arm"]) for row in rows if row["grain"] == "run")
        seen: Counter[tuple[object, ...]] = Counter()
        over: dict[str, Verdict] = {}
        for row in sorted(rows, key=lambda row: (row["start_time"], row["run_id"])):
            if row["grain"] != "run":
                continue
            cell = (row["skill"], row["arm"])
            user = row["principal_id"] if row["principal_id"] != row["service_name"] else None
            of_user = max(self.least, int(self.share_of_user * total[cell]))
            for kind, who, cap in (("session", row["session_id"], self.of_session), ("user", user, of_user)):
                if who is not None:
                    seen[kind, who, *cell] += 1
                    if seen[kind, who, *cell] > cap:
                        over[row["run_id"]] = _OVER[kind]
        return [over.get(row["run_id"], ALLOW) for row in rows]


_OVER = {
    kind: hold(f"{kind}_over_cap", f"the {kind} has more runs of this arm today than count")
    for kind in ("session", "user")
}
GATE = Influence()
