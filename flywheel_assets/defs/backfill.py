"""Days built again on demand in this process, a month a run, recorded where the UI shows it."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import dagster as dg

from flywheel_assets.defs.assembly import assemble
from flywheel_assets.defs.graph import DAYS_A_RUN
from flywheel_assets.defs.home import OWNER_TAG, instance, owner
from flywheel_assets.defs.partitions import calendar
from flywheel_assets.defs.report import OWN_EVENTS
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.turn import QUIET, Turn, note
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.steps import DAY_STEPS, Step


def steps_of(assets: Sequence[str]) -> list[Step]:
    """The day steps that write those tables; all of them where none is named. Raises ValueError for another name."""
    by_name = {table.name: step for step in DAY_STEPS for table in step.writes}
    if unknown := sorted(set(assets) - set(by_name)):
        raise ValueError(f"not computed by day: {', '.join(unknown)}; these are: {', '.join(by_name)}")
    return [step for step in DAY_STEPS if not assets or step in {by_name[name] for name in assets}]


def backfill(places: Places, steps: Sequence[Step], first: date, last: date) -> Iterator[tuple[date, Turn]]:
    """Build every day from `first` to `last` again; after each run, its last day and what it did.

    Ends with the first run that failed. Between two runs it can be stopped and taken up again at no cost.
    """
    earliest, latest = calendar()
    first, last = max(first, earliest), min(last, latest)
    days = [first + timedelta(days=count) for count in range((last - first).days + 1)]
    wheel = WheelResource(data=str(places.data), lake_url=places.lake_url or "")
    job = assemble(wheel).resolve_implicit_global_asset_job_def()
    with instance(places) as dagster:
        for run in (days[at : at + DAYS_A_RUN] for at in range(0, len(days), DAYS_A_RUN)):
            result = job.execute_in_process(
                instance=dagster,
                run_config=QUIET,
                asset_selection=[dg.AssetKey(table.name) for step in steps for table in step.writes],
                tags={
                    "dagster/asset_partition_range_start": run[0].isoformat(),
                    "dagster/asset_partition_range_end": run[-1].isoformat(),
                    OWN_EVENTS: "true",
                    OWNER_TAG: owner(),
                },
                raise_on_error=False,
            )
            done = Turn(result.run_id, result.success)
            for event in result.all_events:
                note(done, event)
            yield run[-1], done
            if not done.ok:
                return
