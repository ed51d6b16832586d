"""What people, checks and judges said of runs, sessions and spans. Append-only."""

from flywheel_assets.tables.table import DAY, REAL, TEXT, TIME, Column, Table

FEEDBACK = Table(
    name="feedback",
    stage="examples",
    row="One statement about a run, span or session by a named author.",
    key=("feedback_id",),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day of its span, or that was posted with it, else of observed_at", required=True),
        Column("feedback_id", TEXT, "Hash of target, name, author, time and words: repeats are one", required=True),
        Column("target_kind", TEXT, "run | span | session | response", required=True),
        Column(
            "target_id",
            TEXT,
            "run_id, TRACE:SPAN, session id, or the provider's response id",
            required=True,
        ),
        Column("name", TEXT, "What was judged, e.g. correctness", required=True),
        Column("value", REAL, "Outcome in [0, 1]; NULL when only a comment was given", "outcome"),
        Column("value_text", TEXT, "Category, label or free text", private="words"),
        Column("comment", TEXT, "Explanation", private="words"),
        Column("tier", TEXT, "human | check | outcome | judge | heuristic", required=True),
        Column("author_id", TEXT, "Who said so; 'unregistered' weighs nothing", required=True, private="name"),
        Column("author_version", TEXT, "Version of a check or judge"),
        Column("observed_at", TIME, "When it was observed", required=True),
        Column("source", TEXT, "span_event | posted", required=True),
    ),
)
