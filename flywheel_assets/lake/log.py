"""What a Delta table's log says (files, rows, application transactions), and one commit to it."""

from collections.abc import Iterable
from datetime import date
from typing import Literal

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake

from flywheel_assets.tables.table import DAY

WRITER = WriterProperties(compression="ZSTD", compression_level=1)


def commit(
    opened: DeltaTable,
    data: pa.Table | pa.RecordBatchReader,
    *,
    mode: Literal["overwrite", "append"],
    transactions: list[Transaction],
    predicate: str | None = None,
) -> None:
    """Write the rows as one commit on top of what `opened` saw; `opened` then stands at the result."""
    write_deltalake(
        opened,
        data,
        mode=mode,  # pyright: ignore[reportArgumentType]
        predicate=predicate,
        writer_properties=WRITER,
        commit_properties=CommitProperties(app_transactions=transactions, max_commit_retries=20),
    )


def note(opened: DeltaTable, transactions: list[Transaction]) -> None:
    """Commit the transactions without touching a file; `opened` then stands at the result."""
    opened.create_write_transaction(
        actions=[],
        mode="append",
        schema=opened.schema(),
        partition_by=opened.metadata().partition_columns,
        commit_properties=CommitProperties(app_transactions=transactions, max_commit_retries=20),
    )
    opened.update_incremental()


def key(what: str, day: date | None) -> str:
    """The application transaction under which something is noted of a day (None: of the whole)."""
    return what if day is None else f"{what}/{day.isoformat()}"


def transactions(opened: DeltaTable | None, what: str, days: Iterable[date | None]) -> dict[date | None, str | None]:
    """What was last noted of each day, as fifteen hex digits; None where nothing was."""
    found = {day: None if opened is None else opened.transaction_version(key(what, day)) for day in days}
    return {day: None if value is None else f"{value:015x}" for day, value in found.items()}


def files(opened: DeltaTable) -> list[tuple[date | None, str]]:
    """The table's Parquet files, relative to its root, each with the day it belongs to."""
    actions = pa.table(opened.get_add_actions(flatten=True))
    paths = actions.column("path").to_pylist()
    if "partition.day" not in actions.column_names:
        return [(None, path) for path in paths]
    return list(zip(actions.column("partition.day").cast(DAY).to_pylist(), paths, strict=True))


def rows(opened: DeltaTable, day: date | None) -> int:
    """How many rows the day (None: the whole table) has, by the log alone."""
    actions = pa.table(opened.get_add_actions(flatten=True))
    counts = zip((found for found, _ in files(opened)), actions.column("num_records").to_pylist(), strict=True)
    return sum(count for found, count in counts if day in (None, found))
