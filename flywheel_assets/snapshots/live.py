"""Views of the snapshot over the lake as it is now: what is asked between two snapshots has one definition."""

from collections.abc import Sequence
from typing import Any

from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.session import connection
from flywheel_assets.snapshots.build import VIEWS
from flywheel_assets.tables.table import Table


def rows_of(lake: Lake, views: Sequence[str], tables: Sequence[Table]) -> list[dict[str, Any]]:
    """Rows of the last of the views, which may use those before it; `tables` are what they read."""
    with connection() as con:
        for table in tables:
            lake.register(con, table, temporary=True)
        for view in views:
            con.execute((VIEWS / f"{view}.sql").read_text(encoding="utf-8"))
        return con.sql(f"FROM {views[-1]}").to_arrow_table().to_pylist()
