"""What judges say, corrected by what people said of a standing random sample of the same runs."""

from flywheel_assets.tables.table import INT, REAL, TEXT, TEXTS, TIME, Column, Table

JUDGE_CORRECTIONS = Table(
    name="judge_corrections",
    stage="examples",
    row="One judge's version on one skill × arm: its rate, the corrected rate, or why there is none.",
    key=("skill", "arm", "author_id", "author_version", "name"),
    columns=(
        Column("skill", TEXT, "Skill", required=True),
        Column("arm", TEXT, "Arm; '*': all arms together", required=True),
        Column("author_id", TEXT, "The judge", required=True),
        Column("author_version", TEXT, "Its version; '-' where it states none", required=True),
        Column("name", TEXT, "What it judges", required=True),
        Column("judged", INT, "Runs that it judged", "runs", required=True),
        Column("anchored", INT, "Of these, runs of the random sample that a person answered", "runs", required=True),
        Column("judge_rate", REAL, "Mean of what it said, uncorrected", "outcome", required=True),
        Column("human_rate", REAL, "Mean of what people said of the anchored runs; NULL: none", "outcome"),
        Column("rate", REAL, "Corrected rate (PPI++); NULL: see reason", "outcome"),
        Column("lower", REAL, "Lower end of its 95 % interval", "outcome"),
        Column("upper", REAL, "Upper end of it", "outcome"),
        Column("trust", REAL, "Weight that PPI++ gives the judge: 0, as if it were silent, to 1", "weight"),
        Column("rg_rate", REAL, "Corrected share of good runs (Rogan–Gladen); NULL: see rg_reason", "share"),
        Column("rg_lower", REAL, "Lower end of its 95 % interval (Lang–Reiczigel)", "share"),
        Column("rg_upper", REAL, "Upper end of it", "share"),
        Column("sensitivity", REAL, "Share of what people call good that it calls good; NULL: none seen", "share"),
        Column("specificity", REAL, "Share of what people call bad that it calls bad; NULL: none seen", "share"),
        Column("people", TEXTS, "Who answered", required=True, private="name"),
        Column("last_said", TIME, "When this version last spoke", required=True),
        Column("state", TEXT, "corrected | missing | superseded (by another version of it)", required=True),
        Column("reason", TEXT, "Why, in words", required=True),
        Column("rg_reason", TEXT, "Why there is no Rogan–Gladen figure; NULL: there is one"),
    ),
)
