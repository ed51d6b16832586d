"""Holds runs that claim to start after they arrived, and remarks on runs that arrived long after they ran.

Late runs are admitted: history that is ingested afterwards is evidence too, and decay weighs it. The
remark lets a reader tell such days from those that were seen as they happened.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import Verdict, first_that_holds, hold, remark


@dataclass(frozen=True, slots=True)
class Staleness:
    """`skew`: how far an emitter's clock may run ahead. `late`: past this, arrival is remarked on."""

    skew: timedelta = timedelta(minutes=5)
    late: timedelta = timedelta(days=7)
    name: str = "staleness"
    version: str = "1"
    order: int = 70
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """A run whose arrival is not known is allowed."""
        rows = evidence.rows
        waited = pc.subtract(rows["landed_at"], rows["start_time"])
        unit = pa.duration("us")
        ahead = pc.less(waited, pa.scalar(-self.skew, unit))
        behind = pc.greater(waited, pa.scalar(self.late, unit))
        return first_that_holds(
            rows.num_rows,
            [
                (ahead, hold("clock_skew", "the run starts after it arrived: an emitter's clock is wrong")),
                (behind, remark("late_arrival", f"arrived more than {self.late.days} days after it ran")),
            ],
        )


GATE = Staleness()
