"""Every labeler's vote, kept with its author; disagreement is not resolved here."""

from flywheel_assets.tables.table import DAY, REAL, TEXT, Column, Table

LABEL_VOTES = Table(
    name="label_votes",
    stage="examples",
    row="One labeler's opinion of one run or span. A labeler that abstains writes no row.",
    key=("example_id", "labeler", "author_id", "evidence"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day on which the run started", required=True),
        Column("example_id", TEXT, "run_id at run grain, TRACE:SPAN at span grain", required=True),
        Column("grain", TEXT, "run | span", required=True),
        Column("run_id", TEXT, "The run", required=True),
        Column("labeler", TEXT, "Labeler: a file in examples/labelers", required=True),
        Column("labeler_version", TEXT, "Version of the labeler", required=True),
        Column("tier", TEXT, "human | check | outcome | judge | heuristic", required=True),
        Column("author_id", TEXT, "Who spoke: the labeler, or the feedback's author", required=True, private="name"),
        Column("value", REAL, "Outcome in [0, 1]", "outcome", required=True),
        Column("confidence", REAL, "How often such a vote is right, in [0.5, 1]", "probability", required=True),
        Column("evidence", TEXT, "What was seen", required=True, private="words"),
    ),
)
