"""Stage 4 in Dagster: admit examples, or set them aside with a reason."""

import functools

import dagster as dg

from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.conservation import conserves
from flywheel_assets.defs.day_steps import rebuild
from flywheel_assets.defs.gate_audit import GATE_CHECKS
from flywheel_assets.defs.graph import BACKFILL, specs
from flywheel_assets.defs.partitions import DAYS
from flywheel_assets.defs.report import Results
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.observations.account import account
from flywheel_assets.observations.admit import admit, sign
from flywheel_assets.observations.registry import find_gates
from flywheel_assets.observations.sources import tally, watch
from flywheel_assets.tables.gate_verdicts import GATE_VERDICTS
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS, REJECTIONS
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.steps import ADMIT, SIGN, TALLY_SOURCES, WATCH_SOURCES

RED = {
    "example_signatures": "materialise the day again.",
    "source_tallies": "materialise the day again.",
    "source_findings": "materialise the day again. A row is no fault of the table: look at that service's outcomes.",
    "gate_verdicts": "a gate skipped an example: read `gate` and `gate_version` of the day, materialise it again.",
    "gated_observations": "an example is neither admitted nor rejected: materialise the day again; "
    "if it stays red, a gate has a bug, and the counts say on which day.",
    "rejections": "materialise the day again. Many rows are no fault: `gate` and `reason` say what to mend upstream.",
}


@dg.multi_asset(name=SIGN.name, specs=specs(SIGN, RED, kinds=["duckdb"]), partitions_def=DAYS, backfill_policy=BACKFILL)
def signed(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """What later days need to recognise a repeat."""
    yield from rebuild(context, wheel.lake(), SIGN, sign)


@dg.multi_asset(
    name=TALLY_SOURCES.name,
    specs=specs(TALLY_SOURCES, RED, kinds=["duckdb"]),
    partitions_def=DAYS,
    backfill_policy=BACKFILL,
)
def tallied(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """What each source said of each arm, in sums."""
    yield from rebuild(context, wheel.lake(), TALLY_SOURCES, tally)


@dg.multi_asset(
    name=WATCH_SOURCES.name,
    specs=specs(WATCH_SOURCES, RED, kinds=["duckdb"]),
    partitions_def=DAYS,
    backfill_policy=BACKFILL,
)
def watched(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Whose word is out of line with all others' over four weeks."""
    yield from rebuild(context, wheel.lake(), WATCH_SOURCES, watch)


@dg.multi_asset(
    name=ADMIT.name, specs=specs(ADMIT, RED, kinds=["duckdb"]), partitions_def=DAYS, backfill_policy=BACKFILL
)
def admitted(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Every gate speaks of every example; the first that objects decides."""
    # Looked for once, and only where a day is stale: it reads what every installed package declares.
    gates = functools.cache(find_gates)
    yield from rebuild(context, wheel.lake(), ADMIT, lambda con, day: admit(con, day, gates()), account)


observations_checks = stage_checks(
    "observations",
    [
        conserves(
            GATED_OBSERVATIONS, "examples_to_observations", [LABELED_EXAMPLES, GATED_OBSERVATIONS, REJECTIONS], 0
        ),
        conserves(GATE_VERDICTS, "examples_to_verdicts", [LABELED_EXAMPLES, GATE_VERDICTS], 0),
        *GATE_CHECKS,
    ],
)
