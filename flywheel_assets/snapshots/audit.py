"""Whether a snapshot file is what the lake holds: row counts, comments, views, opened read-only."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from flywheel_assets.lake import log
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.session import reading
from flywheel_assets.snapshots.parts import opened
from flywheel_assets.tables.catalogue import TABLES
from flywheel_assets.tables.table import Table

UNCOMMENTED = """
SELECT 'table ' || table_name FROM duckdb_tables() WHERE comment IS NULL
UNION ALL SELECT 'view ' || view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL
UNION ALL SELECT 'column ' || table_name || '.' || column_name
FROM duckdb_columns() WHERE NOT internal AND comment IS NULL
ORDER BY 1
"""
VIEWS = "SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY view_name"


# Rows by day; None where a table has no days.
Counted = dict[date | None, int]


class AuditError(ValueError):
    """The file differs from what it should be; nothing was published."""


def audit(lake: Lake, path: Path, versions: Mapping[str, int]) -> dict[str, int]:
    """Rows of each table of the snapshot at `path`. Raises AuditError with everything that is wrong."""
    con = reading(path)
    try:
        con.execute("SET threads = 1")
        found = {table.name: _count(con, table) for table in TABLES}
        wrong = [
            f"{table.name} has {found[table.name].get(day, 0)} rows{f' of {day}' if day else ''}, "
            f"the lake's version {versions.get(table.name)} has {rows.get(day, 0)}"
            for table in TABLES
            for rows in (_rows(lake, table, versions),)
            for day in sorted(found[table.name].keys() | rows.keys(), key=str)
            if rows.get(day, 0) != found[table.name].get(day, 0)
        ]
        wrong += [f"{what} has no comment" for (what,) in con.execute(UNCOMMENTED).fetchall()]
        for (view,) in con.execute(VIEWS).fetchall():
            # Whether it still fits its tables; to compute it is for whoever asks.
            con.execute(f'SELECT * FROM "{view}" LIMIT 0').fetchall()
    except duckdb.Error as broken:
        message = f"{path.name}: {broken}"
        raise AuditError(message) from broken
    finally:
        con.close()
    if wrong:
        message = f"{path.name}: {'; '.join(wrong)}"
        raise AuditError(message)
    return {name: sum(days.values()) for name, days in found.items()}


def _count(con: duckdb.DuckDBPyConnection, table: Table) -> Counted:
    question = "SELECT day, count(*) FROM {0} GROUP BY 1" if table.by_day else "SELECT NULL, count(*) FROM {0}"
    return dict(con.execute(question.format(f'"{table.name}"')).fetchall())


def _rows(lake: Lake, table: Table, versions: Mapping[str, int]) -> Counted:
    """By the lake's log alone."""
    at = opened(lake, table, versions)
    if at is None:
        return {}
    found: Counted = {}
    for (day, _), rows in zip(log.files(at), _records(at), strict=True):
        found[day] = found.get(day, 0) + rows
    return found


def _records(at: DeltaTable) -> list[int]:
    return pa.table(at.get_add_actions(flatten=True)).column("num_records").to_pylist()
