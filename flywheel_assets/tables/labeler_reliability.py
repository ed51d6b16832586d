"""How far each voter's word could be believed on a day, from who agreed with whom, and how its set was fused."""

from flywheel_assets.tables.table import DAY, INT, REAL, TEXT, Column, Table

# By method of `examples/fusion/`, the column that says how well it foretells votes.
FORETELLS = {
    "majority": "majority_foretells",
    "one_coin": "one_coin_foretells",
    "dawid_skene": "dawid_skene_foretells",
    "glad": "glad_foretells",
}
_METHODS = "stated (votes count as they say: too few are shared) | majority | one_coin | dawid_skene | glad"

LABELER_RELIABILITY = Table(
    name="labeler_reliability",
    stage="examples",
    row="One author of votes that decide, on one day, beside the other authors of its label set.",
    key=("day", "tier", "grain", "skill", "author_id"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day on which the runs started", required=True),
        Column("tier", TEXT, "anchor (answers about the random sample) | human | check | … | heuristic", required=True),
        Column("grain", TEXT, "run | span: what the votes are about", required=True),
        Column("skill", TEXT, "Skill of the runs; '-': unknown", required=True),
        Column("author_id", TEXT, "The author", required=True, private="name"),
        Column("votes", INT, "Votes that are heard, for or against or between", "votes", required=True),
        Column("accuracy", REAL, "How often the author is right, learned; NULL: the votes cannot tell", "probability"),
        Column("lower", REAL, "Lower end of its central 95 % interval", "probability"),
        Column("upper", REAL, "Upper end of it", "probability"),
        Column("method", TEXT, f"How the set is fused: {_METHODS}", required=True),
        *(
            Column(column, REAL, f"How well {method} foretells a vote left out: mean log-likelihood, at most 0", "nats")
            for method, column in FORETELLS.items()
        ),
        Column("anchors", INT, "Examples of the set that people answered about as anchors", "examples", required=True),
        Column("earlier_anchors", INT, "The same of the days before; NULL: labelled before they counted", "examples"),
        Column("slope", REAL, "What anchors multiply the set's log-odds by; NULL: uncorrected"),
        Column("shift", REAL, "What anchors then add to them; NULL: uncorrected", "nats"),
        Column("calibration", TEXT, "Whether anchors corrected the set's probabilities, or why not", required=True),
    ),
)
