"""Running a step over all days: anew, or, in a turn in which nothing that it is computed from changed, not at all."""

from collections.abc import Callable, Mapping
from importlib.metadata import version as installed
from typing import Any

import dagster as dg
import pyarrow as pa

from flywheel_assets.defs.report import Report, Results, in_turn, last_said, materialised, of
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.stale import digest
from flywheel_assets.tables.steps import Step
from flywheel_assets.tables.table import Table

# A step's rows, and what is to be shown of them.
Computed = tuple[pa.Table, Mapping[str, Any]]


def compute(
    context: dg.AssetExecutionContext, lake: Lake, step: Step, build: Callable[[], Computed], *beside: str
) -> Results:
    """Compute the step's one table, or say again what was said of it last.

    `beside`: all that it depends on besides the tables that the step reads: a day, a configuration, files' texts.
    """
    (table,) = step.writes
    # Taken before anything is read: what comes in meanwhile is seen the next time.
    stamp = inputs(lake, step, *beside)
    report = _again(context, lake, table, stamp)
    if report is None:
        rows, shown = build()
        report = of(lake.overwrite(table, rows, inputs=stamp), shown)
    yield from materialised(context, [table.name], [report])


def inputs(lake: Lake, step: Step, *beside: str) -> str:
    """Fifteen hex digits over the step's and the package's version, all content that is read, and what is beside it."""
    contents = (_content(lake, read.table) for read in step.reads)
    return digest(step.version, installed("flywheel-assets"), *beside, *contents)


def _content(lake: Lake, table: Table) -> str:
    if table.by_day:
        return "\n".join(f"{day} {content}" for day, content in lake.fingerprints(table, lake.days(table)).items())
    # A table that is appended to has no fingerprint, and another version with every row.
    return lake.fingerprint(table) or f"version {lake.version(table)}"


def _again(context: dg.AssetExecutionContext, lake: Lake, table: Table, stamp: str) -> Report | None:
    """In a turn: the last report, where the table is computed from the same; None: compute it."""
    if not in_turn(context) or lake.stamps(table, [None])[None] != stamp:
        return None
    said, content = last_said(context.instance, table.name), lake.fingerprint(table)
    return Report(table.name, content, metadata={**said, "changed": False}) if said and content else None
