"""Holds what a service says of an arm where its word is out of line with most other services'.

Ways to be out of line: all its outcomes are the same while others see both; it ranks the arm by outcome,
against its own other arms, far from where most others rank it; or by cost, as when prices are mixed up.
A service whose tasks are harder, or longer, is not out of line: all its arms differ alike. What it says of its
other arms is held with it: were one arm's runs left out alone, that arm would be compared on other tasks.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.numbered import groups, numbered
from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import ALLOW, Verdict, hold

Cell = tuple[str, str, str]
_CELL = ("skill", "service_name", "arm")
CONSTANT = hold("constant_outcomes", "all outcomes of this service are the same where other services see both")
OUT_OF_LINE = hold("out_of_line", "this service ranks the arm far from where most other services rank it")
COSTS = hold("costs_out_of_line", "what the arm costs beside its others, this service says unlike most others")
IN_DOUBT = hold("in_doubt", "what this service says of another arm of the skill is held")


@dataclass(frozen=True, slots=True)
class _Sample:
    """Outcomes of a cell: how many, their mean, and the squared standard error of it."""

    count: int
    mean: float
    error: float


# By service and arm.
Cells = Mapping[tuple[str, str], _Sample]


@dataclass(frozen=True, slots=True)
class BrokenHarness:
    """`least` runs in a cell; out of line from a difference of `apart` at `sigmas` standard errors.

    Costs are compared by their decimal logarithms: half of one is a factor of three.
    """

    least: int = 30
    apart: float = 0.3
    costs_apart: float = 0.5
    sigmas: float = 5.0
    name: str = "broken_harness"
    version: str = "3"
    order: int = 58
    by_row: bool = False

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """By skill: each service's arms against the same arms of all other services."""
        rows = evidence.rows.select((*_CELL, "outcome", "cost_usd", "grain"))
        whole = pc.and_(pc.equal(rows["grain"], "run"), pc.and_(*(rows[name].is_valid() for name in _CELL[1:])))
        runs = rows.filter(pc.and_(whole, rows["skill"].is_valid()))
        with np.errstate(divide="ignore", invalid="ignore"):
            costs = np.log10(runs["cost_usd"].to_numpy())
        faults: dict[Cell, Verdict] = {}
        for measure, find in ((costs, self._costly), (runs["outcome"].to_numpy(), self._faults)):
            for skill, cells in self._cells(runs, measure).items():
                faults.update({(skill, *where): fault for where, fault in find(cells).items()})
        if not faults:
            return [ALLOW] * rows.num_rows
        doubted = {cell[:2] for cell in faults}
        named = zip(*(rows[name].to_pylist() for name in _CELL), strict=True)
        return [faults.get(cell, IN_DOUBT if cell[:2] in doubted else ALLOW) for cell in named]

    def _cells(self, runs: pa.Table, measure: npt.NDArray[np.float64]) -> dict[str, dict[tuple[str, str], _Sample]]:
        """By skill the cells with enough of what is measured; what is not known, or nothing, is not a number."""
        known = np.flatnonzero(np.isfinite(measure))
        # Rounding depends on the order in which values are added up.
        known = known[np.argsort(measure[known], kind="stable")]
        found: dict[str, dict[tuple[str, str], _Sample]] = {}
        for group in groups(numbered(*(runs[name] for name in _CELL))[known]):
            if len(group) >= self.least:
                skill, *where = (runs[name][int(known[group[0]])].as_py() for name in _CELL)
                found.setdefault(skill, {})[where[0], where[1]] = _sample(measure[known[group]])
        return found

    def _costly(self, cells: Cells) -> Mapping[tuple[str, str], Verdict]:
        return {where: COSTS for where in cells if self._misplaced(cells, *where, self.costs_apart)}

    def _faults(self, cells: Cells) -> Mapping[tuple[str, str], Verdict]:
        # Each service is compared with every other by itself: pooled, a broken one would spoil the measure for all.
        constant = {
            (service, arm): CONSTANT
            for (service, arm), mine in cells.items()
            if mine.error == 0
            and self._alone([self._far(mine, other, self.apart) for other in _others(cells, service, arm)])
        }
        sound = {where: sample for where, sample in cells.items() if where not in constant}
        return constant | {where: OUT_OF_LINE for where in sound if self._misplaced(sound, *where, self.apart)}

    def _misplaced(self, cells: Cells, service: str, arm: str, apart: float) -> bool:
        return self._alone([self._far(mine, other, apart) for mine, other in _places(cells, service, arm)])

    def _alone(self, far: Sequence[bool]) -> bool:
        """Far from most of at least two others: of two services that differ nobody can say which is right."""
        return len(far) > 1 and 2 * sum(far) > len(far)

    def _far(self, one: _Sample, other: _Sample, apart: float) -> bool:
        gap = abs(one.mean - other.mean)
        return gap >= apart and gap >= self.sigmas * sqrt(one.error + other.error)


def _others(cells: Cells, service: str, arm: str) -> list[_Sample]:
    return [sample for (whose, which), sample in cells.items() if whose != service and which == arm]


def _places(cells: Cells, service: str, arm: str) -> Iterator[tuple[_Sample, _Sample]]:
    """How far the arm is above the arms that both have: at this service, and at each other one."""
    for whose in sorted({one for one, which in cells if one != service and which == arm}):
        shared = [which for one, which in cells if one == service and which != arm and (whose, which) in cells]
        if shared:
            yield _above(cells, service, arm, shared), _above(cells, whose, arm, shared)


def _above(cells: Cells, service: str, arm: str, rest: Sequence[str]) -> _Sample:
    mine, others = cells[service, arm], [cells[service, which] for which in rest]
    mean = sum(other.mean for other in others) / len(others)
    return _Sample(mine.count, mine.mean - mean, mine.error + sum(other.error for other in others) / len(others) ** 2)


def _sample(outcomes: npt.NDArray[np.float64]) -> _Sample:
    return _Sample(len(outcomes), float(np.mean(outcomes)), float(np.var(outcomes)) / len(outcomes))


GATE = BrokenHarness()
