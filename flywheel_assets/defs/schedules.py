"""The daily catch-up, for what the sensors missed while the daemon was down, and the weekly clearing out."""

from collections.abc import Iterator

import dagster as dg

from flywheel_assets.defs.jobs import turn, turn_tags
from flywheel_assets.defs.retention import retention


@dg.schedule(
    job=turn,
    cron_schedule="15 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Shortly after midnight UTC: land, rebuild the stale days, decide, publish, snapshot.",
)
def daily_turn(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """One whole turn; yesterday's last runs are in by then."""
    yield dg.RunRequest(run_key=context.scheduled_execution_time.date().isoformat(), tags=turn_tags())


@dg.schedule(
    job=retention,
    cron_schedule="30 2 * * 0",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="On Sundays: removes what is superseded and older than 30 days, for which nothing holds a pin. "
    "By hand, or with `flywheel retain`, it is a dry run.",
)
def weekly_retention(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """The same job that is dry by default."""
    told = {"ops": {"remove_superseded": {"config": {"dry_run": False}}}}
    yield dg.RunRequest(run_key=context.scheduled_execution_time.date().isoformat(), run_config=told)
