"""Holds what a service says of an arm where its word is out of line with most other services'.

Two ways to be out of line: all its outcomes are the same while others see both; or it ranks the arm,
against its own other arms, far from where most others rank it. A service whose tasks are
harder is not out of line: all its arms are lower alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import sqrt

import numpy as np

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import ALLOW, Verdict, hold

Cell = tuple[str, str, str]
CONSTANT = hold("constant_outcomes", "all outcomes of this service are the same where other services see both")
OUT_OF_LINE = hold("out_of_line", "this service ranks the arm far from where most other services rank it")


@dataclass(frozen=True, slots=True)
class _Sample:
    """Outcomes of a cell: how many, their mean, and the squared standard error of it."""

    count: int
    mean: float
    error: float


@dataclass(frozen=True, slots=True)
class BrokenHarness:
    """`least` runs in a cell; out of line from a difference of `apart` at `sigmas` standard errors."""

    least: int = 30
    apart: float = 0.3
    sigmas: float = 5.0
    name: str = "broken_harness"
    version: str = "1"
    order: int = 58
    by_row: bool = False

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """By skill: each service's arms against the same arms of all other services."""
        columns = ("skill", "service_name", "arm", "outcome", "grain")
        rows = [tuple(row.values()) for row in evidence.rows.select(columns).to_pylist()]
        usable = sorted((s, v, a, o) for s, v, a, o, grain in rows if grain == "run" and None not in (s, v, a, o))
        faults: dict[Cell, Verdict] = {}
        for skill, group in groupby(usable, key=lambda row: row[0]):
            faults |= {(skill, *where): fault for where, fault in self._faults([row[1:] for row in group]).items()}
        return [faults.get(row[:3], ALLOW) for row in rows]

    def _faults(self, rows: Sequence[tuple[str, str, float]]) -> dict[tuple[str, str], Verdict]:
        grouped = groupby(rows, key=lambda row: row[:2])
        cells = {where: _sample([row[2] for row in group]) for where, group in grouped}
        cells = {where: sample for where, sample in cells.items() if sample.count >= self.least}
        # Each service is compared with every other by itself: pooled, a broken one would spoil the measure for all.
        constant = {
            (service, arm): CONSTANT
            for (service, arm), mine in cells.items()
            if mine.error == 0 and self._alone([self._far(mine, other) for other in _others(cells, service, arm)])
        }
        sound = {where: sample for where, sample in cells.items() if where not in constant}
        out_of_line = {
            (service, arm): OUT_OF_LINE
            for service, arm in sound
            if self._alone([self._far(*pair) for pair in _places(sound, service, arm)])
        }
        return constant | out_of_line

    def _alone(self, far: Sequence[bool]) -> bool:
        """Far from most of at least two others: of two services that differ nobody can say which is right."""
        return len(far) > 1 and 2 * sum(far) > len(far)

    def _far(self, one: _Sample, other: _Sample) -> bool:
        gap = abs(one.mean - other.mean)
        return gap >= self.apart and gap >= self.sigmas * sqrt(one.error + other.error)


def _others(cells: Mapping[tuple[str, str], _Sample], service: str, arm: str) -> list[_Sample]:
    return [sample for (whose, which), sample in cells.items() if whose != service and which == arm]


def _places(cells: Mapping[tuple[str, str], _Sample], service: str, arm: str) -> Iterator[tuple[_Sample, _Sample]]:
    """How far the arm is above the arms that both have: at this service, and at each other one."""
    for whose in sorted({one for one, which in cells if one != service and which == arm}):
        shared = [which for one, which in cells if one == service and which != arm and (whose, which) in cells]
        if shared:
            yield _above(cells, service, arm, shared), _above(cells, whose, arm, shared)


def _above(cells: Mapping[tuple[str, str], _Sample], service: str, arm: str, rest: Sequence[str]) -> _Sample:
    mine, others = cells[service, arm], [cells[service, which] for which in rest]
    mean = sum(other.mean for other in others) / len(others)
    return _Sample(mine.count, mine.mean - mean, mine.error + sum(other.error for other in others) / len(others) ** 2)


def _sample(outcomes: Sequence[float]) -> _Sample:
    return _Sample(len(outcomes), float(np.mean(outcomes)), float(np.var(outcomes)) / len(outcomes))


GATE = BrokenHarness()
