"""What each source said of each arm on a day, in sums: what later days need to tell whether its word is in line."""

from flywheel_assets.tables.table import DAY, INT, REAL, TEXT, Column, Table

SOURCE_TALLIES = Table(
    name="source_tallies",
    stage="observations",
    row="One source's labelled runs of an arm on a day, in sums, before any gate.",
    key=("day", "skill", "source", "arm"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day on which the runs started", required=True),
        Column("skill", TEXT, "Skill", required=True),
        Column("source", TEXT, "Service that emitted the runs' root spans", required=True),
        Column("arm", TEXT, "Arm", required=True),
        Column("runs", INT, "Runs with an outcome", "runs", required=True),
        Column("outcomes", REAL, "Sum of their outcomes", "outcome", required=True),
        Column(
            "spread",
            REAL,
            "Sum over sessions (else users, else runs) of the squared sum of deviations from the mean outcome",
            "outcome²",
            required=True,
        ),
    ),
)
