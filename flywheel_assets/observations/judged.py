"""All gates' verdicts on a day as one array of codes: most examples share most verdicts."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.verdict import Verdict
from flywheel_assets.tables.table import TEXT, TEXTS

Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Judged:
    """`codes` has a row per example and a column per gate; they number `distinct`."""

    distinct: list[Verdict]
    codes: Codes

    def of_gates(self, gates: Sequence[int]) -> "Judged":
        """Those gates' verdicts alone."""
        return Judged(self.distinct, self.codes[:, list(gates)])

    def where(self, holds: Callable[[Verdict], bool]) -> Flags:
        """Rows × gates at which a verdict is such."""
        return np.array([holds(verdict) for verdict in self.distinct], bool)[self.codes]

    def deciding(self) -> npt.NDArray[np.int64]:
        """Per row the first gate that discards, else the first that holds, else -1."""
        decided = np.full(len(self.codes), -1, np.int64)
        for which in ("hold", "discard"):
            mask = self.where(lambda verdict, which=which: verdict.verdict == which)
            decided = np.where(mask.any(axis=1), mask.argmax(axis=1), decided)
        return decided

    def of(self, rows: npt.NDArray[np.int64], gates: npt.NDArray[np.int64]) -> list[Verdict]:
        """The verdict of each given row by the gate given with it."""
        return [self.distinct[code] for code in self.codes[rows, gates].tolist()]

    def remarks(self) -> pa.ListArray:
        """Per row the reasons of what is allowed with one, in the order of the gates."""
        said = self.where(lambda verdict: verdict.verdict == "allow" and verdict.reason is not None)
        reasons = pa.array([verdict.reason for verdict in self.distinct], TEXT).take(pa.array(self.codes[said]))
        ends = np.concatenate(([0], np.cumsum(said.sum(axis=1))))
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), reasons).cast(TEXTS)

    def columns(self, order: Sequence[int], offsets: pa.DataType) -> dict[str, pa.Array]:
        """The facts of every verdict, row by row, the gates in that order."""
        codes = pa.array(self.codes[:, list(order)].ravel())
        marked = [[mark._asdict() for mark in v.offsets] if v.offsets else None for v in self.distinct]
        facts = {
            "verdict": pa.array([verdict.verdict for verdict in self.distinct], TEXT),
            "reason": pa.array([verdict.reason for verdict in self.distinct], TEXT),
            "detail": pa.array([verdict.detail for verdict in self.distinct], TEXT),
            "offsets": pa.array(marked, offsets),
            "confidence": pa.array([verdict.confidence for verdict in self.distinct], pa.float64()),
        }
        return {name: pc.take(values, codes) for name, values in facts.items()}


def judged(verdicts: Sequence[Sequence[Verdict]], size: int) -> Judged:
    """The gates' verdicts, each a list of one per example, in one."""
    distinct: list[Verdict] = []
    codes = np.empty((size, len(verdicts)), np.int32)
    for gate, given in enumerate(verdicts):
        # Most gates say the same of all.
        if size and given.count(given[0]) == size:
            codes[:, gate] = len(distinct)
            distinct.append(given[0])
            continue
        same = np.fromiter(map(id, given), np.int64, size)
        _, first, code = np.unique(same, return_index=True, return_inverse=True)
        codes[:, gate] = code + len(distinct)
        distinct += [given[row] for row in first.tolist()]
    return Judged(distinct, codes)
