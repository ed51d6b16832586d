"""What each skill's traffic can tell, how soon, and what keeps it from telling more."""

from flywheel_assets.tables.table import DAY, INT, REAL, TEXT, TEXTS, Column, Table

SKILL_OUTLOOK = Table(
    name="skill_outlook",
    stage="scores",
    row="One skill: its power ledger, and what its runs lack. '*': runs whose skill nobody stated, and all others.",
    key=("skill",),
    columns=(
        Column("skill", TEXT, "Skill, or '*' for all runs", required=True),
        Column("runs", INT, "Runs of the last 14 days with runs", "runs", required=True),
        Column("without_skill", REAL, "Share of them without a skill", "share", required=True),
        Column("without_outcome", REAL, "Share whose outcome nobody stated", "share", required=True),
        Column("without_propensity", REAL, "Share that no recorded decision chose", "share", required=True),
        Column("silent", TEXT, "What to do where half of the runs teach nothing; NULL: enough do"),
        Column("units_a_day", REAL, "Units with an outcome a day", "units/day", required=True),
        Column("spread", REAL, "Standard deviation of an outcome; NULL: too few", "outcome"),
        Column("detectable_30_days", REAL, "Smallest difference that 30 days find four times in five", "outcome"),
        Column("three_points_units", REAL, "Units that a three-point difference takes", "units"),
        Column("three_points_by", DAY, "Day by which it is decidable at this traffic; NULL: not within ten years"),
        Column("labels_worth", REAL, "Units a day that labels on all runs would add", "units/day", required=True),
        Column("confounded", TEXTS, "Arms' parts that were never seen apart, in words", required=True),
        Column("advice", TEXT, "What would help first", required=True),
    ),
)
