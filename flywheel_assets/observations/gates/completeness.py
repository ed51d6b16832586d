"""Sets aside rows that lack what makes them evidence: an outcome, a skill, an arm."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass

import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import Verdict, discard, first_that_holds, hold


@dataclass(frozen=True, slots=True)
class Completeness:
    """Missing outcomes are held, because feedback may still come; a finished run's skill and arm will not."""

    name: str = "completeness"
    version: str = "1"
    order: int = 20
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """An open run is held before anything else is asked of it: its model call may be still to come."""
        rows = evidence.rows
        state = rows["outcome_state"]
        return first_that_holds(
            rows.num_rows,
            [
                (pc.equal(state, "open"), hold("open", "the run has not ended")),
                (pc.is_null(rows["skill"]), discard("no_skill", "no span says which skill it was")),
                (pc.is_null(rows["arm"]), discard("no_arm", "no span says which model did the work")),
                (pc.equal(state, "immature"), hold("immature", "its outcome's horizon has not passed")),
                (pc.equal(state, "missing"), hold("missing", "nobody stated an outcome")),
            ],
        )


GATE = Completeness()
