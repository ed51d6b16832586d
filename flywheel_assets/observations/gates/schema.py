"""Refuses rows whose values contradict each other or leave their range: they came about by a fault."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import Verdict, discard, first_that_holds


def _outside(column: pa.ChunkedArray, low: float, high: float) -> pa.ChunkedArray:
    """True where the value is not a number in [low, high]; NULL where it is not known."""
    return pc.invert(pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high)))


def _not_one_of(column: pa.ChunkedArray, values: tuple[str, ...]) -> pa.ChunkedArray:
    return pc.invert(pc.is_in(column, pa.array(values)))


@dataclass(frozen=True, slots=True)
class Schema:
    """Ranges and cross-column rules that a column type cannot say."""

    name: str = "schema"
    version: str = "1"
    order: int = 10
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Discards the row at the first rule that it breaks."""
        rows = evidence.rows
        labeled = pc.equal(rows["outcome_state"], "labeled")
        started = pc.cast(rows["start_time"], pa.date32())
        smallest, infinite = 5e-324, 1.7976931348623157e308
        rules = {
            "grain": _not_one_of(rows["grain"], ("run", "span")),
            "identity": pc.and_(pc.equal(rows["grain"], "run"), pc.not_equal(rows["example_id"], rows["run_id"])),
            "span": pc.and_(pc.equal(rows["grain"], "span"), pc.is_null(rows["span_id"])),
            "day": pc.not_equal(rows["day"], started),
            "status": _not_one_of(rows["status"], ("ok", "error", "cancelled", "open", "abandoned")),
            "outcome_state": _not_one_of(rows["outcome_state"], ("labeled", "missing", "immature", "open")),
            "outcome": _outside(rows["outcome"], 0.0, 1.0),
            "outcome_state_differs": pc.not_equal(labeled, pc.is_valid(rows["outcome"])),
            "confidence": _outside(rows["confidence"], 0.5, 1.0),
            "confidence_absent": pc.and_(labeled, pc.is_null(rows["confidence"])),
            "weight": _outside(rows["weight"], 0.0, 1.0),
            "weight_absent": pc.and_(labeled, pc.is_null(rows["weight"])),
            "propensity": _outside(rows["propensity"], smallest, 1.0),
            "keep_prob": _outside(rows["keep_prob"], smallest, 1.0),
            "cost_usd": _outside(rows["cost_usd"], 0.0, infinite),
            "duration_ns": pc.less(rows["duration_ns"], 0),
            "arm": pc.not_equal(pc.count_substring(rows["arm"], "|"), 2),
        }
        cases = [(mask, discard(f"bad_{rule}", f"{rule} breaks its rule")) for rule, mask in rules.items()]
        return first_that_holds(rows.num_rows, cases)


GATE = Schema()
