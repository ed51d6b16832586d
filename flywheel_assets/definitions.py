"""What Dagster loads."""

import dagster as dg

from flywheel_assets import defs as wiring
from flywheel_assets.defs.jobs import arrival, learning, turn
from flywheel_assets.defs.resources import wheel_from_environment
from flywheel_assets.defs.schedules import daily_turn
from flywheel_assets.defs.sensors import content, enough_new_runs, inbox, left_stale

defs = dg.Definitions(
    assets=dg.load_assets_from_package_module(wiring),
    asset_checks=dg.load_asset_checks_from_package_module(wiring),
    jobs=[arrival, learning, turn],
    schedules=[daily_turn],
    sensors=[inbox, left_stale, enough_new_runs, content],
    resources={"wheel": wheel_from_environment()},
    executor=dg.in_process_executor,
)
