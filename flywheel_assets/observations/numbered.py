"""Groups of rows as numbers: what gates count by, whole columns at a time."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]


def numbered(*columns: pa.ChunkedArray) -> Ints:
    """By row one number for each combination of values; that a value is not known is one, too."""
    number = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
        number = number * max(len(encoded.dictionary), 1) + encoded.indices.to_numpy(zero_copy_only=False)
    return number


def groups(number: Ints) -> list[Ints]:
    """The rows of each number, in order."""
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    return np.split(order, starts[1:]) if len(order) else []


def earlier(number: Ints) -> Ints:
    """By row how many rows before it have its number."""
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    found = np.empty(len(number), np.int64)
    found[order] = np.arange(len(number)) - np.repeat(starts, np.diff(np.append(starts, len(number))))
    return found
