"""Views of the snapshot over the lake as it is now: what is asked between two snapshots has one definition."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.session import session
from flywheel_assets.snapshots.build import VIEWS
from flywheel_assets.tables.table import Table

Row = dict[str, Any]


def rows_of(lake: Lake, views: Sequence[str], tables: Sequence[Table]) -> list[Row]:
    """Rows of the last of the views, which may use those before it; `tables` are what they read."""
    return rows_of_each(lake, views, tables)[-1]


def rows_of_each(
    lake: Lake, views: Sequence[str], tables: Sequence[Table], days: Mapping[str, Sequence[date]] | None = None
) -> list[list[Row]]:
    """Rows of every view, each computed once: later ones read what was found. `days`: of a table, only these."""
    found: list[list[Row]] = []
    with session() as con:
        for table in tables:
            lake.register(con, table, (days or {}).get(table.name), temporary=True)
        for view in views:
            rows = asked(con, view)
            con.register(view, rows)
            found.append(rows.to_pylist())
    return found


def asked(con: duckdb.DuckDBPyConnection, view: str) -> pa.Table:
    """Rows of a view over the tables that are on `con`."""
    made = (VIEWS / f"{view}.sql").read_text(encoding="utf-8").partition("COMMENT ON")[0]
    con.execute(made.replace("CREATE VIEW", "CREATE TEMP VIEW", 1))
    rows = con.sql(f"FROM {view}").to_arrow_table()
    con.execute(f"DROP VIEW {view}")
    return rows
