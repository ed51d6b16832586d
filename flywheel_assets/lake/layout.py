"""How a table is stored: created as its contract says, and widened when the contract gains columns.

Files and versions from before a column was added give NULL in it.
"""

from collections.abc import Mapping
from contextlib import suppress

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.exceptions import CommitFailedError, DeltaError

from flywheel_assets.tables.table import Table

CONFIGURATION: Mapping[str, str | None] = {
    # Old versions stay in the log for ten years: pins, not time, decide what may go.
    "delta.logRetentionDuration": "interval 3650 days",
    # Opening a table reads every commit since the last checkpoint: 30 ms after 60 of them.
    "delta.checkpointInterval": "10",
}
# A property of a table some of whose files may lack some of its columns.
WIDENED = "flywheel.widened"


def create(uri: str, storage_options: dict[str, str], table: Table) -> DeltaTable:
    """The table without rows, or as it is where another process was quicker."""
    # Without retries a creation that comes second fails, instead of becoming version 1 and
    # upsetting writers; opening then finds the first, or repeats the real cause.
    with suppress(DeltaError):
        DeltaTable.create(
            uri,
            table.schema,
            mode="ignore",
            partition_by=["day"] if table.by_day else None,
            description=table.row,
            configuration=CONFIGURATION,
            storage_options=storage_options or None,
            commit_properties=CommitProperties(max_commit_retries=0),
        )
    return DeltaTable(uri, storage_options=storage_options or None)


def lacking(opened: DeltaTable, table: Table) -> pa.Schema:
    """The columns of `table` that the stored table does not have at that version."""
    there = {one.name for one in opened.schema().fields}
    return pa.schema([one for one in table.schema if one.name not in there])


def widened(opened: DeltaTable) -> bool:
    """Whether some of its files may lack some of its columns."""
    return WIDENED in opened.metadata().configuration


def widen(opened: DeltaTable, table: Table) -> None:
    """Add the columns that the stored table lacks; its files stay as they are. Several processes may do so at once."""
    # First the property: a reader between the two commits asks for columns by name already.
    for change in (_mark, _add):
        with suppress(CommitFailedError):
            change(opened, table)
        opened.update_incremental()
    left = lacking(opened, table).names
    if left:
        message = f"{table.name}: columns {left} could not be added to {opened.table_uri}: run again"
        raise CommitFailedError(message)


def _mark(opened: DeltaTable, _table: Table) -> None:
    opened.alter.set_table_properties({WIDENED: "true"}, raise_if_not_exists=False)


def _add(opened: DeltaTable, table: Table) -> None:
    with suppress(DeltaError):
        opened.alter.add_columns(list(Schema.from_arrow(lacking(opened, table)).fields))
