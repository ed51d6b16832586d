"""Rows chosen out of a chunk: the same ones, copied only where they lie scattered."""

import numpy as np
import pyarrow as pa
import pytest

from flywheel_assets.spans.passage import Part


@pytest.mark.parametrize(
    ("chosen", "copied"),
    [
        pytest.param("000000000000", False, id="none"),
        pytest.param("111111111111", False, id="all"),
        pytest.param("011111111111", False, id="from some row on"),
        pytest.param("111110011110", False, id="a few runs"),
        pytest.param("101010101010", True, id="scattered"),
    ],
)
def test_chosen_rows_come_in_order_and_are_not_copied_where_they_follow_one_another(chosen: str, copied: bool):
    mask = np.array([one == "1" for one in chosen])
    rows = pa.RecordBatch.from_pydict({"span_id": [f"{number:016x}" for number in range(len(chosen))]})
    nothing = np.zeros(len(chosen), bool)
    found = Part(rows, np.arange(len(chosen)), nothing, nothing, nothing).only(mask)
    assert pa.Table.from_batches(found, rows.schema).column(0).to_pylist() == rows["span_id"].filter(mask).to_pylist()
    texts = {some["span_id"].buffers()[2].address for some in found}
    assert (texts <= {rows["span_id"].buffers()[2].address}) is not copied
