"""What a write says in the UI: counts, conservation, plots, and the content's fingerprint as data version."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.overwrite import Written
from flywheel_assets.tables.table import Table

ONLY_STALE = "flywheel/only_stale"
# The run writes its materialisations itself, for exactly the days that it rebuilt and each with its
# own data version. Without the tag Dagster writes one for every day of the run's range (13 ms each).
OWN_EVENTS = "dagster/defer_asset_events"
# Why an asset was left as it was.
STANDS = "stands"


Results = Iterator[dg.MaterializeResult[Any]]


def in_turn(context: dg.AssetExecutionContext) -> bool:
    """Whether the run is a turn of the wheel: it computes what is stale, and leaves the rest as it is."""
    return context.run.tags.get(ONLY_STALE) == "true"


def last_said(instance: dg.DagsterInstance, asset: str) -> Mapping[str, dg.MetadataValue[Any]]:
    """The metadata of the asset's newest materialisation; empty where there is none."""
    event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    return event.asset_materialization.metadata if event and event.asset_materialization else {}


@dataclass(frozen=True, slots=True)
class Report:
    """One materialisation: of a day of a table, or of a whole one."""

    asset: str
    version: str
    day: date | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


def of(written: Written, metadata: Mapping[str, Any] | None = None) -> Report:
    """The report of one write to the lake."""
    rows = "dagster/partition_row_count" if written.day else "dagster/row_count"
    return Report(
        written.table,
        written.fingerprint,
        written.day,
        {rows: written.rows, "changed": written.changed, "table version": written.version, **(metadata or {})},
    )


def whole(lake: Lake, table: Table, metadata: Mapping[str, Any] | None = None) -> Report:
    """The report of a table that was appended to: rows and version as they stand now."""
    opened = lake.open(table)
    rows = 0 if opened is None else opened.count()
    version = -1 if opened is None else opened.version()
    return Report(
        table.name,
        f"{version}",
        metadata={"dagster/row_count": rows, "table version": version, **(metadata or {})},
    )


def materialised(context: dg.AssetExecutionContext, assets: Sequence[str], reports: Sequence[Report]) -> Results:
    """One result per asset; in a run with its own events, also one event per report."""
    own = context.run.tags.get(OWN_EVENTS) == "true"
    for asset in assets:
        mine = [report for report in reports if report.asset == asset]
        for report in mine if own else ():
            context.log_event(
                dg.AssetMaterialization(
                    asset,
                    metadata=report.metadata,
                    partition=report.day.isoformat() if report.day else None,
                    tags={"dagster/data_version": report.version},
                )
            )
        for report in () if own else mine:
            context.add_asset_metadata(
                report.metadata, asset, partition_key=report.day.isoformat() if report.day else None
            )
        # One version stands for a whole range; single days and turns of the wheel are exact.
        versions = [report.version for report in mine]
        version = versions[0] if len(versions) == 1 else hashlib.sha256("".join(versions).encode()).hexdigest()[:15]
        yield dg.MaterializeResult(asset, data_version=dg.DataVersion(version))
