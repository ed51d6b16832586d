"""What is not kept for ever: files of old table versions, Dagster's old runs, dated snapshots.

Nothing goes that a decision or a snapshot pins, nor a run that holds an asset's or a day's newest
materialisation: the UI goes on saying when each was last built, and by what.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

from flywheel_assets.defs.jobs import ARRIVAL, LEARNING
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.snapshots.retention import dated, prune
from flywheel_assets.tables.catalogue import TABLES

OVER = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
# Runs looked at in one go: a wheel that was never tended is caught up with over several nights.
MOST_RUNS = 5000


class Keep(dg.Config):
    """How long what is superseded stays; `dry_run` removes nothing and says what would go."""

    dry_run: bool = True
    lake_days: int = 30
    history_days: int = 30
    snapshots: int = 10


@dataclass(frozen=True, slots=True)
class Gone:
    """What went, or would go: files by table, runs, snapshots."""

    files: dict[str, int]
    runs: list[str]
    snapshots: list[str]


def retain(places: Places, dagster: dg.DagsterInstance, keep: Keep, now: datetime) -> Gone:
    """Remove what is older than it is kept; snapshots first, because they pin."""
    lake = Lake(places.lake)
    snapshots = [path.stem for path in dated(places.snapshots)[max(keep.snapshots, 1) :]]
    if not keep.dry_run:
        snapshots = prune(lake, places.snapshots, keep.snapshots, now)
    files = lake.vacuum(TABLES, timedelta(days=keep.lake_days), dry_run=keep.dry_run)
    runs = superseded_runs(dagster, now - timedelta(days=keep.history_days))
    for run in () if keep.dry_run else runs:
        dagster.delete_run(run)
    return Gone({table: len(paths) for table, paths in files.items() if paths}, runs, snapshots)


def superseded_runs(dagster: dg.DagsterInstance, before: datetime) -> list[str]:
    """Finished runs created before that time, but for those that hold a newest materialisation."""
    filters = dg.RunsFilter(statuses=OVER, created_before=before)
    old = {run.run_id for run in dagster.get_runs(filters, limit=MOST_RUNS)}
    for asset in (*ARRIVAL, *LEARNING) if old else ():
        old -= holders(dagster, dg.AssetKey(asset))
    return sorted(old)


def holders(dagster: dg.DagsterInstance, asset: dg.AssetKey) -> set[str]:
    """The runs that materialised the asset last, or a day of it last."""
    newest = dagster.get_latest_storage_id_by_partition(asset, dg.DagsterEventType.ASSET_MATERIALIZATION)
    found: set[str] = set()
    ids = list(newest.values())
    for at in range(0, len(ids), 500):
        chosen = dg.AssetRecordsFilter(asset_key=asset, storage_ids=ids[at : at + 500])
        found |= {record.run_id for record in dagster.fetch_materializations(chosen, limit=500).records}
    whole = dagster.get_latest_materialization_event(asset)
    return found | ({whole.run_id} if whole else set())


@dg.op(description="Vacuums the lake, prunes Dagster's history and rotates snapshots; dry unless told otherwise.")
def remove_superseded(context: dg.OpExecutionContext, config: Keep, wheel: WheelResource) -> None:
    """Says what went in the run's log and in its output's metadata."""
    gone = retain(wheel.places(), context.instance, config, wheel.now())
    context.add_output_metadata(
        {
            "dry run": config.dry_run,
            "files": gone.files or "none",
            "runs": len(gone.runs),
            "snapshots": gone.snapshots or "none",
        }
    )


@dg.job(description="Removes what is superseded and old. A dry run unless `dry_run: false` is configured.")
def retention() -> None:
    """One op: nothing of it is an asset."""
    remove_superseded()
