"""Remarks on runs whose cost, duration or length is unlike their arm's others; holds services that are so whole.

One run that took twenty times as long may have failed for that very reason: to leave it out would favour
the arm, so it stays, with a remark. A service whose median is that far away measures something else. Every
source counts once, however many runs it has, so that none can shift what is usual.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import ALLOW, Verdict, hold, remark

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MEASURES = ("cost", "duration", "length")


@dataclass(frozen=True, slots=True)
class Outliers:
    """Unlike: `times` as much or as little as is usual, and so many robust `deviations` away, in logarithms."""

    times: float = 20.0
    deviations: float = 8.0
    least: int = 30
    least_of_service: int = 10
    name: str = "outliers"
    version: str = "1"
    order: int = 68
    by_row: bool = False

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Runs of one skill and arm are compared; a source is a user, or the service where none is named."""
        rows = evidence.rows
        found = np.zeros(rows.num_rows, np.int64)
        runs = pc.equal(rows["grain"], "run").to_numpy(zero_copy_only=False)
        cells = _codes(
            pc.binary_join_element_wise(*(pc.fill_null(rows[name], "") for name in ("skill", "arm")), "\x1f")
        )
        sources = _codes(pc.fill_null(pc.coalesce(rows["principal_id"], rows["service_name"]), ""))
        services = _codes(pc.fill_null(rows["service_name"], ""))
        for number, values in enumerate(_measures(rows)):
            usable = np.flatnonzero(runs & np.isfinite(values))
            order = usable[np.argsort(cells[usable], kind="stable")]
            _, starts = np.unique(cells[order], return_index=True)
            for cell in np.split(order, starts[1:]):
                # Within that range nothing is far from the median, whatever it is.
                if len(cell) >= self.least and np.ptp(values[cell]) > np.log(self.times):
                    alone = cell[self._alone(values[cell], sources[cell])]
                    found[alone] = np.maximum(found[alone], 1 + number)
                    found[cell[self._whole(values[cell], services[cell])]] = 1 + len(MEASURES) + number
        return np.array(_VERDICTS, object)[found].tolist()

    def _alone(self, values: Reals, sources: Ints) -> npt.NDArray[np.bool_]:
        """Runs that are unlike the others."""
        _, own, counts = np.unique(sources, return_inverse=True, return_counts=True)
        away = np.abs(values - _median(values, 1 / counts[own]))
        return away > self._far(_median(away, 1 / counts[own]))

    def _whole(self, values: Reals, services: Ints) -> npt.NDArray[np.bool_]:
        """Runs of a service that is unlike most others, of which there have to be three."""
        _, own, counts = np.unique(services, return_inverse=True, return_counts=True)
        medians = np.array([np.median(values[own == one]) for one in range(len(counts))])
        away = np.abs(medians - np.median(medians))
        far = (away > self._far(float(np.median(away)))) & (counts >= self.least_of_service) & (len(counts) > 3)
        return far[own]

    def _far(self, deviation: float) -> float:
        """From how far on; `deviation` is the median absolute one: 1.4826 of them are a normal's standard deviation."""
        return max(float(np.log(self.times)), self.deviations * 1.4826 * deviation)


def _measures(rows: pa.Table) -> tuple[Reals, Reals, Reals]:
    """Logarithms of cost, duration and length of text; what is not known, or nothing, is not a number."""
    said = (pc.utf8_length(rows[field]) for field in ("input_text", "output_text"))
    columns = (rows["cost_usd"], rows["duration_ns"], pc.add(*said))
    found: list[Reals] = []
    for column in columns:
        values = pc.cast(column, pa.float64()).to_numpy().astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append(np.where(values > 0, np.log(values), np.nan))
    return found[0], found[1], found[2]


def _median(values: Reals, weights: Reals) -> float:
    """The weighted median."""
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2)])


def _codes(column: pa.ChunkedArray) -> Ints:
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


_VERDICTS = (
    ALLOW,
    *(remark(f"{name}_outlier", f"its {name} is unlike that of the arm's other runs") for name in MEASURES),
    *(hold(f"service_{name}_outlier", f"this service's {name} is unlike most others' by far") for name in MEASURES),
)
GATE = Outliers()
