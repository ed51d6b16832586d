"""What Dagster loads."""

from flywheel_assets.defs.assembly import assemble

defs = assemble()
