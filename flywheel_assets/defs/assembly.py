"""All of the wiring in one object."""

import dagster as dg

from flywheel_assets.defs import (
    artifacts,
    candidates,
    decisions,
    examples,
    observations,
    runs,
    scores,
    snapshots,
    sources,
    spans,
)
from flywheel_assets.defs.jobs import arrival, days_again, learning, turn
from flywheel_assets.defs.judging import hourly_judging, judging
from flywheel_assets.defs.notify import tell_of_failures, tell_of_red_checks
from flywheel_assets.defs.pollers import ask_sources
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.retention import retention
from flywheel_assets.defs.schedules import daily_turn, weekly_retention
from flywheel_assets.defs.sensors import (
    content_changed,
    enough_new_runs,
    harm_seen,
    inbox,
    left_stale,
    people_said,
)

STAGE_MODULES = (
    sources,
    spans,
    runs,
    examples,
    observations,
    scores,
    candidates,
    decisions,
    artifacts,
    snapshots,
)
NOTIFIERS = (tell_of_failures, tell_of_red_checks)


def assemble(wheel: WheelResource) -> dg.Definitions:
    """Assets and checks of every stage, and what runs them, for the wheel that lives there."""
    return dg.Definitions(
        assets=dg.load_assets_from_modules(STAGE_MODULES),
        asset_checks=dg.load_asset_checks_from_modules(STAGE_MODULES),
        jobs=[arrival, days_again, learning, turn, retention, judging],
        schedules=[daily_turn, weekly_retention, hourly_judging],
        sensors=[ask_sources, inbox, left_stale, enough_new_runs, harm_seen, people_said, content_changed, *NOTIFIERS],
        resources={"wheel": wheel},
        executor=dg.in_process_executor,
    )
