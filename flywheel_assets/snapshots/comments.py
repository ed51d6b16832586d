"""Comments on every table and column of a snapshot, and the manifest that it carries inside."""

from collections.abc import Mapping
from datetime import datetime

import duckdb

from flywheel_assets.tables.catalogue import BY_NAME, TABLES
from flywheel_assets.tables.table import INT, TEXT, TIME, Column, Table

MANIFEST = Table(
    name="snapshot_manifest",
    stage="snapshots",
    row="One table of this file and the lake version that it equals.",
    key=("table_name",),
    columns=(
        Column("table_name", TEXT, "Table", required=True),
        Column("table_version", INT, "Version of the Delta table in the lake; NULL: it was never written"),
        Column("stage", TEXT, "Stage of the wheel that writes it", required=True),
        Column("built_at", TIME, "When the snapshot was built", required=True),
        Column("code_version", TEXT, "Version of flywheel-assets that built it", required=True),
    ),
)


def describe(con: duckdb.DuckDBPyConnection, table: Table, *, view: bool = False) -> None:
    """Comment the table (or view) of the attached `snapshot` and its columns, from `tables/`."""
    name = f'snapshot.main."{table.name}"'
    row = f"{table.row} Key: {', '.join(table.key)}."
    con.execute(f"COMMENT ON {'VIEW' if view else 'TABLE'} {name} IS {_text(row)}")
    for column in table.columns:
        con.execute(f'COMMENT ON COLUMN {name}."{column.name}" IS {_text(column.comment)}')


def write_manifest(
    con: duckdb.DuckDBPyConnection, versions: Mapping[str, int], built_at: datetime, code_version: str
) -> None:
    """The table `snapshot_manifest`: which lake version each table equals."""
    rows = MANIFEST.rows(
        [
            {
                "table_name": table.name,
                "table_version": versions.get(table.name),
                "stage": BY_NAME[table.name].stage,
                "built_at": built_at,
                "code_version": code_version,
            }
            for table in TABLES
        ]
    )
    con.register("manifest_rows", rows)
    con.execute(f"CREATE OR REPLACE TABLE snapshot.main.{MANIFEST.name} AS SELECT * FROM manifest_rows")
    describe(con, MANIFEST)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
