"""What gates find in the texts of examples: stretches of them, each distinct text searched once."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

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


def whole(column: pa.ChunkedArray) -> pa.Array:
    """The column in one piece, copied only where it is in several."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def kept(column: pa.ChunkedArray, mask: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    """The column where the mask is true, copied only where that is not everywhere."""
    return column if pc.all(mask).as_py() else column.filter(mask)


def by_row(column: pa.ChunkedArray, hint: str, search: Callable[[pa.Array], Mapping[int, Found]]) -> dict[int, Found]:
    """By row of the column what `search` finds in its distinct texts, by their position; other rows are left out.

    Only texts in which the expression `hint` occurs are searched.
    """
    texts = whole(column)
    rows = pc.fill_null(pc.match_substring_regex(texts, hint), False).to_numpy(zero_copy_only=False).nonzero()[0]
    encoded = texts.take(pa.array(rows)).dictionary_encode()
    found = search(encoded.dictionary)
    codes = encoded.indices.to_numpy(zero_copy_only=False).tolist()
    return {row: found[code] for row, code in zip(rows.tolist(), codes, strict=True) if code in found}
