"""Holds what is not of a tier, a service or a source that the operator takes for evidence.

`provenance` in skills.yaml lists what is allowed; what it does not speak of is. All arms alike are held,
whichever way their outcomes went.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import Verdict, first_that_holds, hold

# By what is allowed, the column of the evidence that it is about.
COLUMNS = {"tier": "tier", "service": "service_name", "source": "door"}


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who said how a run went, which service did it, and through which source it came."""

    name: str = "provenance"
    version: str = "1"
    order: int = 25
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """What is not known of a row is not allowed where something else is."""
        rows = evidence.rows
        cases = [
            (
                pc.invert(pc.is_in(rows[COLUMNS[what]], pa.array(allowed, pa.string()))),
                hold(f"{what}_not_allowed", f"provenance in skills.yaml allows {what} {', '.join(allowed)}"),
            )
            for what, allowed in sorted(evidence.allowed.items())
        ]
        return first_that_holds(rows.num_rows, cases)


GATE = Provenance()
