"""`Column` and `Table`: a table's contract as data, and what is generated from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

TEXT = pa.string()
INT = pa.int64()
REAL = pa.float64()
FLAG = pa.bool_()
DAY = pa.date32()
TIME = pa.timestamp("us", tz="UTC")
TEXTS = pa.list_(pa.string())


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `unit` is None where the value has none; `required` forbids NULL.

    `private` says what a copy for strangers leaves out: `words` of people and models, `name`s of people and
    sessions, and those that may hold anything (of spans and errors), which it replaces by others.
    """

    name: str
    type: pa.DataType
    meaning: str
    unit: str | None = None
    required: bool = False
    private: Literal["words", "name"] | None = None

    @property
    def comment(self) -> str:
        """Meaning and unit in one line, as shown in DuckDB and in the Dagster UI."""
        return f"{self.meaning} [{self.unit}]" if self.unit else self.meaning


@dataclass(frozen=True, slots=True)
class Table:
    """A row type: what a row is, which stage writes it, its key, and its columns in order.

    A table with `by_day` is partitioned by its `day` column and rewritten a day at a time.
    """

    name: str
    stage: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    by_day: bool = False
    # The Arrow schema. All fields are nullable to Arrow; `required` is checked, not encoded.
    schema: pa.Schema = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the schema once: it is asked for with every batch of rows."""
        object.__setattr__(self, "schema", pa.schema([pa.field(column.name, column.type) for column in self.columns]))

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]

    def empty(self) -> pa.Table:
        """No rows of this type."""
        return self.schema.empty_table()

    def rows(self, rows: Sequence[Mapping[str, object]]) -> pa.Table:
        """Rows given as dictionaries; absent columns become NULL, unknown ones are an error."""
        unknown = {name for row in rows for name in row} - set(self.names)
        if unknown:
            message = f"{self.name} has no column {sorted(unknown)}"
            raise ValueError(message)
        return pa.Table.from_pylist([dict(row) for row in rows], schema=self.schema)

    def conform(self, data: pa.Table) -> pa.Table:
        """`data` with exactly this table's columns, order and types.

        Raises ValueError that names the columns where one is missing, unknown, or NULL though
        required.
        """
        missing, unknown = set(self.names) - set(data.column_names), set(data.column_names) - set(self.names)
        if missing or unknown:
            message = f"{self.name}: missing columns {sorted(missing)}, unknown columns {sorted(unknown)}"
            raise ValueError(message)
        nulls = [c.name for c in self.columns if c.required and data.column(c.name).null_count]
        if nulls:
            message = f"{self.name}: NULL in required columns {nulls}"
            raise ValueError(message)
        return data.select(self.names).cast(self.schema)
