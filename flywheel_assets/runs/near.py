"""The spans around a day, column by column."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flywheel_assets.runs.tree import Flag, Index


@dataclass(frozen=True, slots=True)
class Near:
    """Spans in order of time: every array has an entry for each, every `Index` refers to that order, -1 for none.

    `row` is where each of them is in `columns`, whose rows stay in the order in which they were read.
    """

    columns: pa.RecordBatch
    row: Index

    def __len__(self) -> int:
        """How many spans there are."""
        return len(self.row)

    def known(self, name: str) -> Flag:
        """Which spans have a value there."""
        return self._array(self.columns.column(name).is_valid())

    def equal(self, name: str, *values: str) -> Flag:
        """Which spans have one of the values there."""
        column = self.columns.column(name)
        return np.logical_or.reduce([self._array(pc.equal(column, value).fill_null(False)) for value in values])

    def flags(self, name: str) -> Flag:
        """A column of truths; NULL is none."""
        return self._array(self.columns.column(name).fill_null(False))

    def numbers(self, name: str) -> NDArray[Any]:
        """A column of numbers or days; NULL is 0."""
        column = self.columns.column(name)
        return self._array(column if column.null_count == 0 else column.fill_null(0))

    def values(self, name: str, spans: Index) -> pa.Array:
        """What the given spans have there, NULL for -1."""
        return self.columns.column(name).take(pa.array(self.row[spans], mask=spans < 0))

    def select(self, names: list[str], spans: Index) -> pa.Table:
        """Several columns of the given spans."""
        return pa.table({name: self.values(name, spans) for name in names})

    def _array(self, column: pa.Array) -> NDArray[Any]:
        return column.to_numpy(zero_copy_only=False)[self.row]


def index_in(values: pa.Array, among: pa.Array) -> Index:
    """Where each value is among others that differ from one another, -1 where it is not."""
    return pc.index_in(values, among).fill_null(-1).to_numpy().astype(np.int64)


def codes(values: pa.DictionaryArray) -> Index:
    """Where each value is in the dictionary, -1 for NULL."""
    return values.indices.fill_null(-1).to_numpy().astype(np.int64)
