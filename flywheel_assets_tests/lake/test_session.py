"""What every query relies on, whichever DuckDB computes it."""

import numpy as np
import pyarrow as pa
import pytest

from flywheel_assets.lake.session import connection

SHUFFLED = pa.table({"number": np.random.default_rng(7).permutation(400_000)})
# Computed by several threads, and long enough that each hands over several chunks.
SORTED = (
    "SELECT number, row_number() OVER (PARTITION BY number % 7 ORDER BY number) AS nth FROM shuffled ORDER BY number"
)


@pytest.mark.parametrize("read", ["to_arrow_table", "to_arrow_reader", "fetchnumpy"])
def test_sorted_rows_leave_in_order(read: str):
    """DuckDB 2.0 gives Arrow out as threads get done once it is told that the order of what it reads is no matter."""
    with connection() as con:
        con.execute("SET threads = 4")
        con.register("shuffled", SHUFFLED)
        for _ in range(5):
            found = getattr(con.execute(SORTED), read)()
            found = found.read_all() if isinstance(found, pa.RecordBatchReader) else found
            assert (np.diff(np.asarray(found["number"])) > 0).all()


def test_times_are_read_and_shown_in_utc():
    assert connection().execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]
