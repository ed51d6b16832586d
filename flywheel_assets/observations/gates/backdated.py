"""Holds runs that say they took place long ago, sent by a service that otherwise reports as things happen.

History that is declared, as files in the inbox or by a receiver that names its door otherwise, is no fault however
old, and neither is history through the open door where all that comes with it is as old. What is not in line
is the old run among new ones: decay would weigh it, and trials would count it, in a time that is not its own.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import Verdict, first_that_holds, hold

LIVE = "otlp"
DAY = 86_400_000_000

Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Backdated:
    """`late`: days after its end at which a run that was sent has become old.

    A service reports as things happen where half of its runs of the day arrived within a day, of `least` or more; so
    does a batch in which at least half of the days are not old.
    """

    late: int = 7
    least: int = 20
    fresh: float = 0.5
    name: str = "backdated"
    version: str = "1"
    order: int = 71
    by_row: bool = False

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """A run whose arrival is not known is allowed."""
        rows = evidence.rows
        ended = pc.add(pc.cast(rows["start_time"], pa.int64()), pc.divide(pc.fill_null(rows["duration_ns"], 0), 1000))
        waited = pc.subtract(pc.cast(rows["landed_at"], pa.int64()), ended)
        days = pc.divide(pc.cast(waited, pa.float64()), float(DAY)).to_numpy(zero_copy_only=False)
        live = pc.fill_null(pc.equal(rows["door"], LIVE), False).to_numpy(zero_copy_only=False)
        old = live & (days > self.late)
        among = np.zeros(len(old), bool)
        if old.any():
            batch = pc.fill_null(pc.greater_equal(rows["batch_fresh"], self.fresh), False)
            among = batch.to_numpy(zero_copy_only=False) | self._unusual(rows["service_name"], days, live, old)
        said = hold("backdated", f"ended more than {self.late} days before it was sent, unlike what came with it")
        return first_that_holds(rows.num_rows, [(pa.array(old & among), said)])

    def _unusual(self, services: pa.ChunkedArray, days: Reals, live: Flags, old: Flags) -> Flags:
        """Rows of services that otherwise report within a day."""
        codes = services.combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
        prompt = [
            code
            for code in np.unique(codes[old]).tolist()
            if code >= 0
            and (live & (codes == code)).sum() >= self.least
            and np.median(days[live & (codes == code)]) <= 1
        ]
        return np.isin(codes, prompt)


GATE = Backdated()
