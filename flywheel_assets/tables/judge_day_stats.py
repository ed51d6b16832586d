"""Sums over a day's judged runs, from which judges are corrected by what people said of a random sample."""

from flywheel_assets.tables.table import DAY, INT, REAL, TEXT, TEXTS, TIME, Column, Table

_SUMS = (
    ("n", "Σ runs", "runs"),
    ("nn", "Σ over sessions of (runs)²", None),
    ("f", "Σ of the judge's values", None),
    ("nf", "Σ over sessions of runs × (Σ judge's values)", None),
    ("ff", "Σ over sessions of (Σ judge's values)²", None),
)
_PEOPLE = (
    ("y", "Σ of people's values", None),
    ("ny", "Σ over sessions of runs × (Σ people's values)", None),
    ("fy", "Σ over sessions of (Σ judge's values)(Σ people's values)", None),
    ("yy", "Σ over sessions of (Σ people's values)²", None),
)
SUMS = (
    *(Column(f"free_{name}", REAL, f"{what}; runs without a person's", unit, True) for name, what, unit in _SUMS),
    *(
        Column(f"anchor_{name}", REAL, f"{what}; runs with a person's", unit, True)
        for name, what, unit in (*_SUMS, *_PEOPLE)
    ),
    Column("free_positive", INT, "Runs without a person's answer that the judge puts at 0.5 or more", "runs", True),
    Column("both_positive", INT, "Runs that judge and person put at 0.5 or more", "runs", True),
    Column("judge_positive", INT, "Runs that the judge alone puts there", "runs", True),
    Column("person_positive", INT, "Runs that the person alone puts there", "runs", True),
    Column("both_negative", INT, "Runs that neither puts there", "runs", True),
)

JUDGE_DAY_STATS = Table(
    name="judge_day_stats",
    stage="examples",
    row="One judge's version on one skill × arm on one day. All figures add up over rows.",
    key=("day", "skill", "arm", "author_id", "author_version", "name"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day on which the runs started", required=True),
        Column("skill", TEXT, "Skill", required=True),
        Column("arm", TEXT, "Arm", required=True),
        Column("author_id", TEXT, "The judge", required=True),
        Column("author_version", TEXT, "Its version; '-' where it states none", required=True),
        Column("name", TEXT, "What it judges", required=True),
        Column("last_said", TIME, "When it last spoke", required=True),
        Column("people", TEXTS, "Who answered", required=True, private="name"),
        *SUMS,
    ),
)
