"""The data dictionary as Markdown, generated from the tables: `python -m flywheel_assets.tables.dictionary`."""

import sys

import pyarrow as pa

from flywheel_assets.tables.catalogue import STAGES, TABLES
from flywheel_assets.tables.steps import DAY_STEPS, LAND, WHOLE_STEPS, Step
from flywheel_assets.tables.table import Column, Table

HEAD = """# Tables

Every table of the wheel, in the order in which it turns. Each is a Delta table of this name in the
lake and a table (or view) of this name in `current.duckdb`, where the same words are its comments.
Written by `python -m flywheel_assets.tables.dictionary > docs/tables.md`; a test compares the two.

A column that may be empty is NULL where its value was not measured, never 0. Times are UTC.
"""


def dictionary() -> str:
    """The whole page."""
    parts = [HEAD, _contents()]
    for stage in STAGES:
        tables = [table for table in TABLES if table.stage == stage]
        parts.append(f"## {stage}\n")
        parts += [_section(table) for table in tables]
    return "\n".join(parts)


def type_name(kind: pa.DataType) -> str:
    """The type as DuckDB writes it."""
    if pa.types.is_list(kind):
        return f"{type_name(kind.value_type)}[]"
    if pa.types.is_map(kind):
        return f"MAP({type_name(kind.key_type)}, {type_name(kind.item_type)})"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{field.name} {type_name(field.type)}' for field in kind)})"
    return NAMES[str(kind)]


NAMES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "uint32": "UINTEGER",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "date32[day]": "DATE",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
}


def _contents() -> str:
    rows = [f"| {table.stage} | [`{table.name}`](#{table.name}) | {_cell(table.row)} |" for table in TABLES]
    return "\n".join(["| stage | table | a row is |", "|---|---|---|", *rows, ""])


def _section(table: Table) -> str:
    facts = [f"Key: {', '.join(f'`{name}`' for name in table.key)}."]
    if table.by_day:
        facts.append("Rewritten a day at a time.")
    facts += [f"Written by `{step.name}`{_reads(step)}." for step in _steps() if table in step.writes]
    readers = sorted(step.name for step in _steps() if any(read.table is table for read in step.reads))
    if readers:
        facts.append(f"Read by {', '.join(f'`{name}`' for name in readers)}.")
    columns = ["| column | type | meaning |", "|---|---|---|", *(_row(column) for column in table.columns)]
    return "\n".join([f"### {table.name}\n", f"{table.row} {' '.join(facts)}\n", *columns, ""])


def _reads(step: Step) -> str:
    return f" from {', '.join(f'`{read.table.name}`' for read in step.reads)}" if step.reads else ""


def _steps() -> tuple[Step, ...]:
    return (LAND, *DAY_STEPS, *WHOLE_STEPS)


def _row(column: Column) -> str:
    kind = type_name(column.type) + (" NOT NULL" if column.required else "")
    return f"| `{column.name}` | {_cell(kind)} | {_cell(column.comment)} |"


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(dictionary())
