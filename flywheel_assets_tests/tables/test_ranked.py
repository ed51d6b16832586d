"""A column as places among its distinct values."""

import pyarrow as pa
import pytest

from flywheel_assets.tables.ranked import ranked


@pytest.mark.parametrize(
    ("chunks", "values", "places"),
    [
        ([["b", "a", "b"]], ["a", "b"], [1, 0, 1]),
        ([["b"], ["c", "a"]], ["a", "b", "c"], [1, 2, 0]),
        ([["b", None, "a"]], ["a", "b", None], [1, 2, 0]),
        ([[]], [], []),
    ],
    ids=["repeated", "in chunks", "NULL", "empty"],
)
def test_values_come_in_order_and_rows_by_their_places(chunks: list, values: list, places: list) -> None:
    found, where = ranked(pa.chunked_array(chunks, pa.string()))
    assert (found.to_pylist(), where.tolist()) == (values, places)
