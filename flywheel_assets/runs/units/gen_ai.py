"""GenAI and its relatives: a run is the outermost agent, workflow or chain span.

Several beside one another in a trace are several runs; one inside another is part of the outer. In
a trace that has no such span, each outermost model call is a run.
"""

from flywheel_assets.runs.units.unit import Unit

UNIT = Unit(
    runtime="gen_ai",
    opens="operation IN ('agent', 'chain', 'workflow')",
    states="NULL",
    silent="root_status",
)
