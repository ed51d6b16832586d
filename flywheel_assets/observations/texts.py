"""What gates find in the texts of examples: stretches of them, each distinct text searched once."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

# The fields in which others' text travels; identifiers and enumerations hold none.
TEXT_FIELDS = ("input_text", "output_text", "error_type")

Found = TypeVar("Found")


class Stretch(NamedTuple):
    """Where something stands in a text, in characters, and which kind of rule found it."""

    start: int
    end: int
    kind: str


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """In order of their start, overlapping ones joined."""
    apart: list[Stretch] = []
    for stretch in sorted(stretches):
        if apart and stretch.start < apart[-1].end:
            apart[-1] = apart[-1]._replace(end=max(apart[-1].end, stretch.end))
        else:
            apart.append(stretch)
    return apart


class Distinct(NamedTuple):
    """A column's different texts, and by row the number of its own among them; -1 where there is none."""

    texts: pa.Array
    codes: npt.NDArray[np.int32]


def distinct(column: pa.ChunkedArray) -> Distinct:
    """The column with each text once."""
    encoded = column.combine_chunks().dictionary_encode()
    return Distinct(encoded.dictionary, encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False))


def by_row(column: Distinct, search: Callable[[pa.Array], Mapping[int, Found]]) -> dict[int, Found]:
    """By row of the column what `search` finds in its distinct texts, by their position; other rows are left out."""
    found = search(column.texts)
    rows = np.flatnonzero(np.isin(column.codes, list(found))).tolist() if found else []
    return {row: found[int(column.codes[row])] for row in rows}
