"""A column as places among its distinct values: numbers are compared and counted sooner than texts."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def ranked(column: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int64]]:
    """The distinct values in order, NULL last where there is one, and by row the place of its value among them."""
    encoded = column.combine_chunks().dictionary_encode("encode")
    order = pc.array_sort_indices(encoded.dictionary)
    return encoded.dictionary.take(order), np.argsort(order.to_numpy())[encoded.indices.to_numpy()]
