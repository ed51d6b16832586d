"""Which table versions must stay readable, and for whom: a Delta table beside the others."""

from flywheel_assets.tables.table import INT, TEXT, TIME, Column, Table

PINS = Table(
    name="lake_pins",
    stage="lake",
    row="One table version that must stay readable, and for whom.",
    key=("name", "table_name"),
    columns=(
        Column("name", TEXT, "Who needs it: 'snapshot/…' or 'decision/…'", required=True),
        Column("table_name", TEXT, "Table", required=True),
        Column("table_version", INT, "Its version", required=True),
        Column("pinned_at", TIME, "When", required=True),
    ),
)
