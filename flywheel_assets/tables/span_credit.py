"""Which span the blame for a failed run goes to."""

from flywheel_assets.tables.table import DAY, INT, REAL, TEXT, Column, Table

SPAN_CREDIT = Table(
    name="span_credit",
    stage="examples",
    row="One span of a run that went wrong, and how likely it went wrong there. A run's rows add up to its failure.",
    key=("run_id", "trace_id", "span_id"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day on which the run started", required=True),
        Column("run_id", TEXT, "The run", required=True),
        Column("skill", TEXT, "Skill; NULL is unknown"),
        Column("trace_id", TEXT, "Trace of the span", required=True),
        Column("span_id", TEXT, "The span; '-': in none that was recorded", required=True),
        Column("role", TEXT, "As in run_spans; 'elsewhere' for '-'", required=True),
        Column("name", TEXT, "Name of the span", required=True, private="name"),
        Column("place", INT, "Place among the run's work by start, from 1; 0 for '-'", required=True),
        Column("blame", REAL, "Probability that the run failed, and because of this span", "probability", True),
        Column("failed", REAL, "Probability that the run failed: the sum over its rows", "probability", True),
        Column("reason", TEXT, "What raised or lowered it", required=True),
    ),
)
