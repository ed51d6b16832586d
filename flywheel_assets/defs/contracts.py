"""Contracts: every table's key is unique and its required columns are filled, as asset checks.

Only what changed since the check last ran is read again, and what was red then: an audit costs as
much as the new work, and a day that was never mended stays red.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
import duckdb

from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Check, Verdict
from flywheel_assets.lake import log
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
    """What was read, at which version of the table, and what was found."""

    version: int | None
    rows: int
    faults: tuple[Fault, ...]


def audit(lake: Lake, table: Table, since: int | None = None, again: Sequence[date] = ()) -> Audit:
    """Check the days that changed after version `since` (None: all of them), and those of `again`."""
    version = lake.version(table)
    if version is None or (version == since and not again and table.by_day):
        return Audit(version, 0, ())
    con = lake.connect([table], {table.name: _changed(lake, table, since, again)} if table.by_day else {})
    # Hashes are counted in a fifth of the time. That two keys share one is all but impossible; then, or
    # where a key repeats, the keys themselves are counted.
    found = _counted(con, table, "hash")
    if any(repeats for _, _, repeats, *_ in found):
        found = _counted(con, table, "")
    wrongs = ["repeats the key", *(f"no {column.name}" for column in table.columns if column.required)]
    faults = [
        Fault(row[0], wrong, count) for row in found for wrong, count in zip(wrongs, row[2:], strict=True) if count
    ]
    return Audit(version, sum(row[1] for row in found), tuple(faults))


def _counted(con: duckdb.DuckDBPyConnection, table: Table, of_key: str) -> list[tuple[Any, ...]]:
    """Per day: rows, rows whose key another row has, and rows that lack each required column."""
    day = "day" if table.by_day else "CAST(NULL AS DATE)"
    key = ", ".join(f'"{name}"' for name in table.key)
    nulls = "".join(f', count(*) FILTER ("{column.name}" IS NULL)' for column in table.columns if column.required)
    return con.sql(
        f"SELECT {day}, count(*), count(*) - count(DISTINCT {of_key}({key})){nulls} "
        f"FROM {table.name} GROUP BY 1 ORDER BY 1"
    ).fetchall()


def contract(table: Table) -> Check:
    """The table's contract as a check."""

    def look(wheel: WheelResource, instance: dg.DagsterInstance) -> Verdict:
        return judge(wheel.lake(), table, *_last(instance, table))

    return Check(table.name, NAME, promise(table), look)


def promise(table: Table) -> str:
    """What the check checks."""
    required = ", ".join(column.name for column in table.columns if column.required)
    return f"One row per ({', '.join(table.key)}); never empty: {required}."


def judge(lake: Lake, table: Table, since: int | None, again: Sequence[date]) -> Verdict:
    """The audit of what changed since the last one, with what was red then."""
    result = audit(lake, table, since, again)
    return Verdict(
        passed=not result.faults,
        found={
            "rows read": result.rows,
            "table version": -1 if result.version is None else result.version,
            "red days": [fault.day.isoformat() for fault in result.faults if fault.day],
            "faults": [f"{fault.day or 'table'}: {fault.rows} rows: {fault.what}" for fault in result.faults[:100]],
        },
    )


def _changed(lake: Lake, table: Table, since: int | None, again: Sequence[date]) -> list[date]:
    if since is None:
        return lake.days(table)
    now, before = lake.open(table), lake.open(table, since)
    new = set(log.files(now) if now else []) - set(log.files(before) if before else [])
    return sorted({day for day, _ in new if day is not None} | set(again))


def _last(instance: dg.DagsterInstance, table: Table) -> tuple[int | None, list[date]]:
    key = dg.AssetCheckKey(dg.AssetKey(table.name), NAME)
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=5)
    # The newest may be this run's own, which is planned and has not said anything yet.
    said = [record.evaluation for record in records if isinstance(record.evaluation, dg.AssetCheckEvaluation)]
    if not said:
        return None, []
    version, red = said[0].metadata["table version"].value, said[0].metadata["red days"].value
    return (
        version if isinstance(version, int) and version >= 0 else None,
        [date.fromisoformat(str(day)) for day in red] if isinstance(red, list) else [],
    )
