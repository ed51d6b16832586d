"""Several copies of one span → the most complete, whichever came first.

Only what decides is kept of each copy, some 150 bytes, so that a day of which every span came twice
needs no more memory than another.
"""

import numpy as np
import pyarrow as pa

from flywheel_assets.lake.session import connection
from flywheel_assets.spans.maps import SCHEMA
from flywheel_assets.tables.raw_spans import RAW_SPANS

CONTENT = ", ".join(name for name in RAW_SPANS.names if name != "batch_id")
JUDGED = f"""
    SELECT place, trace_id, span_id, start_unix_nano + duration_ns AS ends, batch_id,
        md5(row({CONTENT})::VARCHAR) AS content
    FROM copies
"""
# Has an end, ends last, then a fixed order of contents; of identical copies the least batch id.
BEST = """
    SELECT place FROM judged
    QUALIFY row_number() OVER (
        PARTITION BY trace_id, span_id ORDER BY ends DESC NULLS LAST, content DESC, batch_id, place
    ) = 1
    ORDER BY place
"""


class Copies:
    """Rows that may be copies of one another, each with its place: a number that tells it from all others."""

    def __init__(self) -> None:
        self._judged: list[pa.Table] = []

    def add(self, rows: list[pa.RecordBatch], places: np.ndarray) -> None:
        """Judge rows."""
        con = connection()
        con.register("copies", pa.Table.from_batches(rows, SCHEMA).append_column("place", pa.array(places)))
        self._judged.append(con.sql(JUDGED).to_arrow_table())

    def best(self) -> np.ndarray:
        """The places of the best copy of each span, ascending."""
        if not self._judged:
            return np.empty(0, np.int64)
        con = connection()
        con.register("judged", pa.concat_tables(self._judged))
        return con.sql(BEST).to_arrow_table().column(0).to_numpy()
