"""Stage 9 in Dagster: does the wheel compound, and a DuckDB file for analysts."""

import json
import time
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg

from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.graph import ASIDE, specs
from flywheel_assets.defs.jobs import SNAPSHOT
from flywheel_assets.defs.metadata import OWNER
from flywheel_assets.defs.partitions import whole_of
from flywheel_assets.defs.plots import momentum_plot
from flywheel_assets.defs.report import STANDS, Report, Results, in_turn, last_said, materialised
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Check, Verdict
from flywheel_assets.defs.whole_steps import Computed, compute
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.snapshots.audit import AuditError, audit
from flywheel_assets.snapshots.build import build_snapshot
from flywheel_assets.snapshots.momentum import NEEDED, momentum, put_in_production
from flywheel_assets.snapshots.report import write_report
from flywheel_assets.snapshots.retention import dated
from flywheel_assets.tables.catalogue import TABLES
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.promoted_artifacts import PROMOTED_ROUTING
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.steps import DAY_STEPS, MEASURE_MOMENTUM, WHOLE_STEPS

# It copies every table. Those that no step reads stand for all: the graph stays legible.
READ = {read.table.name for step in (*DAY_STEPS, *WHOLE_STEPS) for read in step.reads}
LAST = [table for table in TABLES if table.name not in READ or table is PROMOTED_ROUTING]
AUDITED, TOOK = "audited file", "seconds"
# A file costs what it holds, not what is new in it: of the time, turns take at most one part in so many to build it,
# and where that is less than so many seconds, they build it each time.
PARTS, SHORT = 20, 5.0
RED = {"momentum": "materialise it again; a slope that is not positive is a finding, not a fault."}


@dg.multi_asset(name=MEASURE_MOMENTUM.name, specs=specs(MEASURE_MOMENTUM, RED), op_tags=ASIDE)
def measured(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Production against the holdout and against the first promoted artifact, block by block."""
    lake = wheel.lake()

    def build() -> Computed:
        since = put_in_production(lake.read(PROMOTION_DECISIONS))
        found = momentum(lake.read(GATED_OBSERVATIONS, columns=NEEDED, ordered=False), since=since)
        says = dict(zip(found["skill"].to_pylist(), found["says"].to_pylist(), strict=True))
        return found, {"momentum": momentum_plot(found), "says": says}

    yield from compute(context, lake, MEASURE_MOMENTUM, build)


@dg.multi_asset(
    name=SNAPSHOT,
    specs=[
        dg.AssetSpec(
            SNAPSHOT,
            deps=[dg.AssetDep(table.name, partition_mapping=whole_of(table)) for table in LAST],
            description="`data/snapshots/current.duckdb`: every table as it was at one moment, audited before it "
            "was renamed into place, and the report page.\n\n**When a check is red:** the newest file is not what "
            "the lake holds at its versions; `current.duckdb` was not replaced by a broken one. Materialise it again.",
            group_name="snapshots",
            code_version="1",
            owners=[OWNER],
            kinds={"python", "duckdb"},
            tags={"grain": "whole"},
            metadata={"dagster/storage_kind": "duckdb"},
            freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36)),
        )
    ],
    op_tags=ASIDE,
    pool="snapshot",
)
def snapshot(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Build beside, audit, rename into place; draw the report from it; publish it where one is configured."""
    places, now, started = wheel.places(), wheel.now(), time.perf_counter()
    report = standing(context, places)
    if report is None:
        built = build_snapshot(wheel.lake(), places.snapshots, now)
        write_report(built.path, places.report, now)
        shown = {"path": str(built.path), "dagster/row_count": sum(built.rows.values()), "bytes": built.bytes}
        shown |= {AUDITED: identity(built.path), TOOK: round(time.perf_counter() - started, 2)}
        shown |= searchable(wheel, built.path, now)
        report = Report(SNAPSHOT, built.path.stem, metadata=shown)
    yield from materialised(context, [SNAPSHOT], [report])


def standing(context: dg.AssetExecutionContext, places: Places) -> Report | None:
    """In a turn: what was said of the newest file, while another would take more than its share of the time."""
    files = dated(places.snapshots)
    if not files or not in_turn(context):
        return None
    said = last_said(context.instance, SNAPSHOT)
    took = float(str(said[TOOK].value)) if TOOK in said else 0.0
    if took < SHORT or said["path"].value != str(files[0]) or time.time() - files[0].stat().st_mtime >= PARTS * took:
        return None
    every = (
        f"turns build another {PARTS * took / 60:.0f} minutes after it, for it took {took:.0f} s: `flywheel snapshot`"
    )
    return Report(SNAPSHOT, files[0].stem, metadata={**said, STANDS: every})


def searchable(wheel: WheelResource, snapshot: Path, now: datetime) -> dict[str, object]:
    """Publish to Typesense, by alias swap, if TYPESENSE_URL says where; what is now published."""
    if not (server := wheel.typesense()):
        return {}
    from flywheel_assets.snapshots.publish import publish

    return {"published to Typesense": str(publish(snapshot, *server, now))}


def fault_of(lake: Lake, path: Path) -> str | None:
    """What is wrong with a dated snapshot; None when it is what its manifest says."""
    try:
        audit(lake, path, json.loads(path.with_suffix(".json").read_text())["versions"])
    except (AuditError, OSError) as error:
        return str(error)
    return None


def identity(path: Path) -> str:
    """Differs where the file is another, or was written to."""
    found = path.stat()
    pending = path.with_name(f"{path.name}.wal").exists()
    return f"{path.name} {found.st_ino} {found.st_size} {found.st_mtime_ns}{' and a log' if pending else ''}"


def equals_the_lake(wheel: WheelResource, instance: dg.DagsterInstance) -> Verdict:
    """Counts every table of the newest file and opens every view, unless it is as it was audited when it was built."""
    files = dated(wheel.places().snapshots)
    said = last_said(instance, SNAPSHOT).get(AUDITED) if files else None
    untouched = said is not None and said.value == identity(files[0])
    fault = fault_of(wheel.lake(), files[0]) if files and not untouched else None
    return Verdict(passed=fault is None, found={"files": len(files), "fault": fault or "none"})


snapshots_checks = stage_checks(
    "snapshots",
    [
        Check(
            SNAPSHOT,
            "equals_the_lake",
            "The newest dated file holds what the lake holds at the versions it names.",
            equals_the_lake,
        )
    ],
)
