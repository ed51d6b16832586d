"""Several copies of one span → the most complete, whichever came first."""

from collections.abc import Iterator

import pyarrow as pa

from flywheel_assets.lake.lake import connection
from flywheel_assets.tables.raw_spans import RAW_SPANS

# When so many rows are held, copies that have lost already are dropped.
COMPACT_ROWS = 50_000
BATCH_ROWS = 8_192

CONTENT = ", ".join(name for name in RAW_SPANS.names if name != "batch_id")
# Has an end, ends last, then a fixed order of contents; of identical copies the least batch id.
BEST = f"""
    SELECT * FROM held
    QUALIFY row_number() OVER (
        PARTITION BY trace_id, span_id
        ORDER BY duration_ns IS NOT NULL DESC, start_unix_nano + duration_ns DESC,
                 md5(row({CONTENT})::VARCHAR) DESC, batch_id
    ) = 1
    ORDER BY start_unix_nano, trace_id, span_id
"""


class Copies:
    """Rows that may be copies of one another, held until all are known."""

    def __init__(self) -> None:
        self.held = 0
        self.kept = 0
        self._rows: list[pa.RecordBatch] = []

    def hold(self, rows: pa.RecordBatch) -> None:
        """Add rows."""
        if len(rows):
            self.held += len(rows)
            self._rows.append(rows)
            if sum(map(len, self._rows)) > max(COMPACT_ROWS, 2 * self.kept):
                self._compact()

    def best(self) -> Iterator[pa.RecordBatch]:
        """The best copy of each span, once all rows were added."""
        self._compact()
        yield from self._rows

    def _compact(self) -> None:
        if self._rows:
            con = connection()
            con.register("held", pa.Table.from_batches(self._rows))
            best = con.sql(BEST).to_arrow_table().cast(RAW_SPANS.schema)
            self.kept = len(best)
            self._rows = best.combine_chunks().to_batches(BATCH_ROWS)
