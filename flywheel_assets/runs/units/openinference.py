"""OpenInference: a run is the outermost AGENT or CHAIN span."""

from flywheel_assets.runs.units.unit import Unit

UNIT = Unit(
    runtime="openinference",
    opens="dialect = 'openinference' AND operation IN ('agent', 'chain', 'workflow')",
    states="NULL",
    silent="root_status",
)
