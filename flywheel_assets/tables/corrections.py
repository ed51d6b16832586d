"""What people and programs showed to be right: an answer put right, or an example of how it is done."""

from flywheel_assets.tables.table import DAY, TEXT, TIME, Column, Table

CORRECTIONS = Table(
    name="corrections",
    stage="examples",
    row="One answer that somebody showed, beside the statement of the same feedback_id in feedback.",
    key=("feedback_id",),
    by_day=True,
    columns=(
        Column("day", DAY, "As in feedback", required=True),
        Column("feedback_id", TEXT, "The statement that it came with", required=True),
        Column("kind", TEXT, "correction (of what was answered) | demonstration (of how it is done)", required=True),
        Column("target_kind", TEXT, "run | span | session | response", required=True),
        Column("target_id", TEXT, "As in feedback", required=True, private="name"),
        Column("request", TEXT, "What a demonstration answers; NULL: what the target was asked", private="words"),
        Column("before", TEXT, "What was put right; NULL: what the target answered", private="words"),
        Column("after", TEXT, "What would have been right", required=True, private="words"),
        Column("tier", TEXT, "human | check | outcome | judge | heuristic", required=True),
        Column("author_id", TEXT, "Who showed it; 'unregistered' teaches nothing", required=True, private="name"),
        Column("author_version", TEXT, "Version of a check or judge"),
        Column("observed_at", TIME, "When", required=True),
    ),
)
