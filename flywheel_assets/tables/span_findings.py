"""Which kinds of error the spans of failed runs show."""

from flywheel_assets.tables.table import DAY, REAL, TEXT, Column, Table

SPAN_FINDINGS = Table(
    name="span_findings",
    stage="examples",
    row="One kind of error that one author sees in a span of a failed run. It need not be why the run failed.",
    key=("run_id", "trace_id", "span_id", "kind", "author_id"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day on which the run started", required=True),
        Column("run_id", TEXT, "The run", required=True),
        Column("skill", TEXT, "Skill; NULL is unknown"),
        Column("trace_id", TEXT, "Trace of the span", required=True),
        Column("span_id", TEXT, "The span", required=True),
        Column("kind", TEXT, "Kind of error, a leaf of TRAIL's taxonomy (arXiv 2505.08638)", required=True),
        Column("tier", TEXT, "heuristic (a sign) | judge | human", required=True),
        Column(
            "author_id", TEXT, "Who saw it: a file in examples/signs, a judge, a person", required=True, private="name"
        ),
        Column("author_version", TEXT, "Version of the sign or judge; '-': not stated", required=True),
        Column("probability", REAL, "That people would mark it, from all who name it", "probability", required=True),
        Column("evidence", TEXT, "What was seen", required=True, private="words"),
    ),
)
