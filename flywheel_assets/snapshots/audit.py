"""Whether a snapshot file is what the lake holds: row counts, comments, views, opened read-only."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from flywheel_assets.lake import log
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.catalogue import TABLES

UNCOMMENTED = """
SELECT 'table ' || table_name FROM duckdb_tables() WHERE comment IS NULL
UNION ALL SELECT 'view ' || view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL
UNION ALL SELECT 'column ' || table_name || '.' || column_name
FROM duckdb_columns() WHERE NOT internal AND comment IS NULL
ORDER BY 1
"""
VIEWS = "SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY view_name"


class AuditError(ValueError):
    """The file differs from what it should be; nothing was published."""


def audit(lake: Lake, path: Path, versions: Mapping[str, int]) -> dict[str, int]:
    """Rows of each table of the snapshot at `path`. Raises AuditError with everything that is wrong."""
    con = duckdb.connect(str(path), read_only=True)
    try:
        found = {table.name: _count(con, table.name) for table in TABLES}
        wrong = [
            f"{table.name} has {found[table.name]} rows, the lake's version {versions.get(table.name)} has {rows}"
            for table in TABLES
            if (rows := _rows(lake, table.name, versions)) != found[table.name]
        ]
        wrong += [f"{what} has no comment" for (what,) in con.execute(UNCOMMENTED).fetchall()]
        for (view,) in con.execute(VIEWS).fetchall():
            con.execute(f'SELECT * FROM "{view}" LIMIT 1').fetchall()
    except duckdb.Error as broken:
        message = f"{path.name}: {broken}"
        raise AuditError(message) from broken
    finally:
        con.close()
    if wrong:
        message = f"{path.name}: {'; '.join(wrong)}"
        raise AuditError(message)
    return found


def _count(con: duckdb.DuckDBPyConnection, name: str) -> int:
    return int(con.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0])


def _rows(lake: Lake, name: str, versions: Mapping[str, int]) -> int:
    table = next(table for table in TABLES if table.name == name)
    opened = lake.open(table, versions[name]) if name in versions else None
    return 0 if opened is None else log.rows(opened, None)
