"""What Dagster loads."""

from flywheel_assets.defs.assembly import assemble
from flywheel_assets.defs.resources import wheel_from_environment

defs = assemble(wheel_from_environment())
