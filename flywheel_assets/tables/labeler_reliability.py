"""How far each voter's word could be believed on a day, learned from who agreed with whom."""

from flywheel_assets.tables.table import DAY, INT, REAL, TEXT, Column, Table

LABELER_RELIABILITY = Table(
    name="labeler_reliability",
    stage="examples",
    row="One author of votes that decide, on one day, beside the other authors of its tier.",
    key=("day", "tier", "author_id"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day on which the runs started", required=True),
        Column("tier", TEXT, "human | check | outcome | judge | heuristic", required=True),
        Column("author_id", TEXT, "The author", required=True, private="name"),
        Column("votes", INT, "Votes for or against, on examples that the tier decides", "votes", required=True),
        Column("accuracy", REAL, "How often the author is right, learned; NULL: the votes cannot tell", "probability"),
        Column("lower", REAL, "Lower end of its central 95 % interval", "probability"),
        Column("upper", REAL, "Upper end of it", "probability"),
        Column("method", TEXT, "stated (votes count as they say) | learned (by accuracy)", required=True),
        Column("majority_agrees", REAL, "Votes left out that the rest's majority foretold; NULL: too few", "share"),
        Column("learned_agrees", REAL, "Votes left out that what was learned from the rest foretold", "share"),
    ),
)
