"""Drift: which series of outcomes or votes has changed, and since when."""

from flywheel_assets.tables.table import DAY, INT, REAL, TEXT, Column, Table

DRIFT = Table(
    name="drift",
    stage="scores",
    row="One series of daily means: a skill's, an arm's, a runtime's or a labeler's.",
    key=("kind", "skill", "name"),
    columns=(
        Column("kind", TEXT, "skill | arm | source | labeler", required=True),
        Column("skill", TEXT, "Skill; '*' for a labeler: its votes on all skills", required=True),
        Column("name", TEXT, "The arm, runtime or labeler with its version; '-' for a skill", required=True),
        Column("days", INT, "Days with values", "days", required=True),
        Column("values", INT, "Outcomes or votes", "values", required=True),
        Column("reference", REAL, "Mean over the days before the change, or over all", "outcome"),
        Column("recent", REAL, "Mean since the change; NULL: none seen", "outcome"),
        Column("statistic", REAL, "Largest cumulative sum, in standard errors", required=True),
        Column("limit", REAL, "The sum at which the alarm is raised", required=True),
        Column("since", DAY, "First day of the change; NULL: none seen"),
        Column("standing", TEXT, "steady | up | down | too_short", required=True),
        Column("reason", TEXT, "In words, with what follows from it", required=True),
    ),
)
