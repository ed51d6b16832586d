"""What `tables/` says of a table, in Dagster's words: column schema, lineage, storage."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from flywheel_assets.tables.steps import Step
from flywheel_assets.tables.table import Table

OWNER = "team:flywheel"
KINDS = {"python", "deltalake"}


def column_schema(table: Table) -> dg.TableSchema:
    """Columns with type, meaning and unit; a single key column is marked unique."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=str(column.type),
                description=column.comment,
                constraints=dg.TableColumnConstraints(
                    nullable=not column.required, unique=not table.by_day and table.key == (column.name,)
                ),
            )
            for column in table.columns
        ]
    )


def table_of(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> dg.TableMetadataValue:
    """Rows as a table in the UI, of these columns with what they mean; what is NULL is left empty."""
    return dg.MetadataValue.table(
        records=[dg.TableRecord({name: "" if row[name] is None else row[name] for name in columns}) for row in rows],
        schema=dg.TableSchema([dg.TableColumn(name, description=words) for name, words in columns.items()]),
    )


def column_lineage(step: Step, table: Table) -> dg.TableColumnLineage | None:
    """Columns that are carried over unchanged: the same column object in a table that the step reads."""
    found: dict[str, Sequence[dg.TableColumnDep]] = {}
    for column in table.columns:
        sources = [read.table for read in step.reads if any(column is other for other in read.table.columns)]
        if sources:
            found[column.name] = [dg.TableColumnDep(sources[0].name, column.name)]
    return dg.TableColumnLineage(found) if found else None


def definition_metadata(step: Step, table: Table) -> Mapping[str, object]:
    """Metadata that is known before anything was computed."""
    lineage = column_lineage(step, table)
    return {
        "dagster/column_schema": column_schema(table),
        "dagster/table_name": table.name,
        "dagster/storage_kind": "deltalake",
        "key": ", ".join(table.key),
        **({"dagster/column_lineage": lineage} if lineage else {}),
    }
