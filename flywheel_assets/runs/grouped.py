"""Spans grouped by run: what a run's spans say first, last, at most and in all."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flywheel_assets.runs.near import Near
from flywheel_assets.runs.tree import Flag, Index

# The first number that a column of whole numbers cannot hold.
BEYOND = 2**63


@dataclass(frozen=True, slots=True)
class Grouped:
    """`run`: the number of each span's run, -1 where it is counted in none; `root`: each run's root span.

    `where` says which of the spans are looked at. What is found is one entry per run, NULL (of spans: -1) where
    there is nothing of the kind.
    """

    spans: Near
    run: Index
    root: Index

    def count(self, where: Flag) -> Index:
        """How many spans there are."""
        return np.bincount(self.run[self._of_runs(where)], minlength=len(self.root))

    def earliest(self, where: Flag) -> Index:
        """The first span in time."""
        return self._chosen(self._of_runs(where)[::-1])

    def latest(self, where: Flag) -> Index:
        """The last span in time."""
        return self._chosen(self._of_runs(where))

    def at_root(self, where: Flag) -> Index:
        """The root, if it is among them."""
        return np.where((where & (self.run >= 0))[self.root], self.root, -1)

    def distinct(self, group: Index) -> Index:
        """How many different groups there are among all spans of the run, each given by one of its members."""
        spans = np.flatnonzero(self.run >= 0)
        found = np.unique(self.run[spans] * len(self.spans) + group[spans])
        return np.bincount(found // len(self.spans), minlength=len(self.root))

    def first(self, name: str, where: Flag | bool = True) -> pa.Array:
        """The first value in a column, the root's before all others."""
        return self.spans.values(name, self.foremost(self.spans.known(name) & where))

    def foremost(self, where: Flag) -> Index:
        """The root, else the first span in time."""
        return either(self.at_root(where), self.earliest(where))

    def last(self, name: str, where: Flag | bool = True) -> pa.Array:
        """The last value in a column."""
        return self.spans.values(name, self.latest(self.spans.known(name) & where))

    def total(self, values: NDArray[Any], where: Flag) -> pa.Array:
        """The sum of numbers that spans have; NULL also where no such column could hold it."""
        run, values = self._looked_at(values, where)
        found = np.zeros(len(self.root), values.dtype)
        np.add.at(found, run, values)
        about = np.bincount(run, weights=values, minlength=len(self.root))
        return pa.array(found, mask=self._missing(run) | (np.abs(about) >= BEYOND))

    def greatest(self, values: NDArray[Any], where: Flag) -> pa.Array:
        """The greatest of numbers that spans have."""
        run, values = self._looked_at(values, where)
        found = np.full(len(self.root), -np.inf if values.dtype == np.float64 else -BEYOND, values.dtype)
        np.maximum.at(found, run, values)
        return pa.array(found, mask=self._missing(run))

    def _looked_at(self, values: NDArray[Any], where: Flag) -> tuple[Index, NDArray[Any]]:
        spans = self._of_runs(where)
        return self.run[spans], values[spans]

    def _missing(self, run: Index) -> Flag:
        return np.bincount(run, minlength=len(self.root)) == 0

    def _of_runs(self, where: Flag) -> Index:
        return np.flatnonzero(where & (self.run >= 0))

    def _chosen(self, spans: Index) -> Index:
        found = np.full(len(self.root), -1)
        # Of what is written to one place the last stays.
        found[self.run[spans]] = spans
        return found


def either(*spans: Index) -> Index:
    """For each run the first of those that is there."""
    found = spans[0]
    for other in spans[1:]:
        found = np.where(found >= 0, found, other)
    return found
