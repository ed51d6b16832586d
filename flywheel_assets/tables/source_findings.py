"""Sources whose word is out of line with all others' over days: who is in quarantine, since when, and why."""

from flywheel_assets.tables.table import DAY, INT, REAL, TEXT, Column, Table

SOURCE_FINDINGS = Table(
    name="source_findings",
    stage="observations",
    row="One source that was out of line as of a day: its runs of the skill are held from `since` on.",
    key=("day", "skill", "source"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day as of which it was found, from the tallies of four weeks", required=True),
        Column("skill", TEXT, "Skill", required=True),
        Column("source", TEXT, "Service", required=True),
        Column("arm", TEXT, "The arm of which its word is furthest out of line", required=True),
        Column("since", DAY, "First day of the evidence: runs are held from here on", required=True),
        Column("apart", REAL, "Its outcomes with the arm, less its other arms', beside all others'", "outcome"),
        Column("error", REAL, "Standard error of `apart`, by chance alone", "outcome"),
        Column("log_e", REAL, "Natural logarithm of the e-value", required=True),
        Column("needed", REAL, "What `log_e` had to come to, given all that was tested", required=True),
        Column("others", INT, "Sources that it was compared with", "sources", required=True),
    ),
)
