"""Which spans make up which run: the lower half of lineage."""

from flywheel_assets.tables.table import DAY, INT, TEXT, Column, Table

RUN_SPANS = Table(
    name="run_spans",
    stage="runs",
    row="One span in its run. A span that belongs to no run has a row with run_id NULL.",
    key=("trace_id", "span_id"),
    by_day=True,
    columns=(
        Column(
            "day", DAY, "UTC day on which the run started (the span's own day where there is no run)", required=True
        ),
        Column("run_id", TEXT, "The run; NULL: the span belongs to none"),
        Column("trace_id", TEXT, "Trace", required=True),
        Column("span_id", TEXT, "Span", required=True),
        Column("span_day", DAY, "UTC day of the span itself: its raw_spans partition", required=True),
        Column("role", TEXT, "root | attempt | llm | tool | step | other | annotation | none", required=True),
        Column("attempt", INT, "Which attempt of the run it belongs to, from 1; NULL: not known"),
    ),
)
