"""Contracts: every table's key is unique and its required columns are filled, as asset checks.

Only what changed since the check last ran is read again, and what was red then: an audit costs as
much as the new work, and a day that was never mended stays red.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow.compute as pc

from flywheel_assets.defs.renewed import RED, Last, changed_days, renewed
from flywheel_assets.defs.verdicts import Check, Verdict
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.table import Table

NAME = "contract"


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows that break the contract; `day` is None in a table that is not by day."""

    day: date | None
    what: str
    rows: int


@dataclass(frozen=True, slots=True)
class Audit:
    """How many rows were read, and what was found."""

    rows: int
    faults: tuple[Fault, ...]


def audit(lake: Lake, table: Table, days: Sequence[date] | None = None) -> Audit:
    """Check those days (None: all of them, and of a table that is not by day always the whole)."""
    if lake.version(table) is None or (table.by_day and days is not None and not days):
        return Audit(0, ())
    con = lake.connect([table], {table.name: days} if table.by_day and days is not None else {})
    rows, keeps = _looked_over(con, table)
    if keeps:
        return Audit(rows, ())
    found = _counted(con, table)
    wrongs = ["repeats the key", *(f"no {column.name}" for column in table.columns if column.required)]
    faults = [
        Fault(row[0], wrong, count) for row in found for wrong, count in zip(wrongs, row[2:], strict=True) if count
    ]
    return Audit(sum(row[1] for row in found), tuple(faults))


def _looked_over(con: duckdb.DuckDBPyConnection, table: Table) -> tuple[int, bool]:
    """How many rows there are, and whether all have what is required, and days and keys with different hashes.

    To sort eight bytes a row takes a quarter of the time in which DuckDB counts distinct ones. That two keys share a
    hash is all but impossible.
    """
    key = ", ".join(f'"{name}"' for name in dict.fromkeys((*["day"][: table.by_day], *table.key)))
    lacking = " OR ".join(f'"{column.name}" IS NULL' for column in table.columns if column.required)
    found = con.sql(f"SELECT hash({key}) AS hashed, {lacking} AS lacking FROM {table.name}").to_arrow_table()
    ordered = np.sort(found["hashed"].to_numpy())
    repeated = (ordered[1:] == ordered[:-1]).any()
    return len(ordered), not (repeated or pc.any(found["lacking"]).as_py())


def _counted(con: duckdb.DuckDBPyConnection, table: Table) -> list[tuple[Any, ...]]:
    """Per day: rows, rows whose key another row has, and rows that lack each required column."""
    day = "day" if table.by_day else "CAST(NULL AS DATE)"
    key = ", ".join(f'"{name}"' for name in table.key)
    nulls = "".join(f', count(*) FILTER ("{column.name}" IS NULL)' for column in table.columns if column.required)
    return con.sql(
        f"SELECT {day}, count(*), count(*) - count(DISTINCT ({key})){nulls} FROM {table.name} GROUP BY 1 ORDER BY 1"
    ).fetchall()


def contract(table: Table) -> Check:
    """The table's contract as a check."""
    return renewed(table.name, NAME, promise(table), [table], lambda wheel, last: judge(wheel.lake(), table, last))


def promise(table: Table) -> str:
    """What the check checks."""
    required = ", ".join(column.name for column in table.columns if column.required)
    return f"One row per ({', '.join(table.key)}); never empty: {required}."


def judge(lake: Lake, table: Table, last: Last | None) -> Verdict:
    """The audit of what changed since the last one, with what was red then."""
    changed = changed_days(lake, table, last)
    result = audit(lake, table, None if changed is None else sorted(changed | last.red if last else changed))
    return Verdict(
        passed=not result.faults,
        found={
            "rows read": result.rows,
            RED: sorted({fault.day.isoformat() for fault in result.faults if fault.day}),
            "faults": [f"{fault.day or 'table'}: {fault.rows} rows: {fault.what}" for fault in result.faults[:100]],
        },
    )
