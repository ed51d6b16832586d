"""The daily catch-up: what the sensors missed while the daemon was down."""

from collections.abc import Iterator

import dagster as dg

from flywheel_assets.defs.jobs import turn, turn_tags


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
