"""Holds outcomes that are hardly better than a coin's, and remarks on disputed ones.

Only the confidence and the number of dissenting votes are looked at, never which way the outcome
went: a gate that kept sure successes and unsure failures would bias every score.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass

import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import Verdict, first_that_holds, hold, remark


@dataclass(frozen=True, slots=True)
class LabelConfidence:
    """`least`: the confidence of the fused outcome below which it is held."""

    least: float = 0.55
    name: str = "label_confidence"
    version: str = "1"
    order: int = 60
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Rows without an outcome are left to the completeness gate."""
        rows = evidence.rows
        labeled = pc.equal(rows["outcome_state"], "labeled")
        # A weighted mean of equal confidences may fall short of them by rounding.
        unsure = pc.and_(labeled, pc.less(rows["confidence"], self.least - 1e-9))
        return first_that_holds(
            rows.num_rows,
            [
                (unsure, hold("low_confidence", f"confidence of the fused outcome is below {self.least}")),
                (pc.and_(labeled, pc.greater(rows["dissent"], 0)), remark("disputed", "labelers disagree")),
            ],
        )


GATE = LabelConfidence()
