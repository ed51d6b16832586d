"""The day's storms: what was collapsed before it came here, and bursts of failing spans that were not."""

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from flywheel_assets.tables.storms import STORMS

# More than so many equal failures in one minute.
MORE_THAN = 20
_STORMS = (Path(__file__).parent / "storms.sql").read_text()


def count_storms(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table]:
    """(STORMS,) of the day. Counts of one storm that pages cut into several rows add up."""
    some = con.execute("SELECT count(*) FROM raw_spans WHERE day = $day AND operation = 'storm'", {"day": day})
    given = {"day": day, "some": some.fetchall()[0][0] > 0, "more_than": MORE_THAN}
    return (STORMS.conform(con.execute(_STORMS, given).to_arrow_table()),)
