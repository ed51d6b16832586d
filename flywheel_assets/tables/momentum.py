"""Does the wheel compound?"""

from flywheel_assets.tables.table import INT, REAL, TEXT, TIME, Column, Table

MOMENTUM = Table(
    name="momentum",
    stage="snapshots",
    row="One block of runs of one skill ('*' for all), in order.",
    key=("skill", "block"),
    columns=(
        Column("skill", TEXT, "Skill, or '*'", required=True),
        Column("block", INT, "Block of admitted runs, from 1", required=True),
        Column("runs", INT, "Runs in the block", "runs", required=True),
        Column("from_time", TIME, "Start of its first run", required=True),
        Column("to_time", TIME, "Start of its last run", required=True),
        Column("current", REAL, "Mean outcome of the production segment; NULL: no runs", "outcome"),
        Column("current_runs", INT, "Runs behind it", "runs", required=True),
        Column("baseline", REAL, "Mean outcome of the holdout on the launch baseline; NULL: no runs", "outcome"),
        Column("baseline_runs", INT, "Runs behind it", "runs", required=True),
        Column("frozen", REAL, "Mean outcome of the first promoted artifact, frozen; NULL: not measured", "outcome"),
        Column("frozen_runs", INT, "Runs behind it", "runs", required=True),
        Column(
            "lift",
            REAL,
            "current minus baseline over all runs so far, stratified by skill; NULL: not measured",
            "outcome",
        ),
        Column("lower", REAL, "Lower end of its 95 % interval", "outcome"),
        Column("upper", REAL, "Upper end of its 95 % interval", "outcome"),
        Column(
            "over_frozen",
            REAL,
            "current minus the first promoted artifact, frozen, over all runs so far; NULL: not measured",
            "outcome",
        ),
        Column("over_frozen_lower", REAL, "Lower end of its 95 % interval", "outcome"),
        Column("over_frozen_upper", REAL, "Upper end of its 95 % interval", "outcome"),
        Column(
            "compounding",
            TEXT,
            "compounding: credibly better than the first promotion | worse | undecided: the gain is the first "
            "promotion's | not_measured",
            required=True,
        ),
        Column("standing", TEXT, "better | worse | undecided | not_measured", required=True),
        Column(
            "artifact_lift",
            REAL,
            "What is in production now, since it was put there, minus baseline; NULL: not measured",
            "outcome",
        ),
        Column("artifact_lower", REAL, "Lower end of its 95 % interval", "outcome"),
        Column("artifact_upper", REAL, "Upper end of its 95 % interval", "outcome"),
        Column("artifact_standing", TEXT, "better | worse | undecided | not_measured", required=True),
        Column(
            "artifact_over_frozen",
            REAL,
            "What is in production now minus the first promoted artifact, frozen; NULL: not measured",
            "outcome",
        ),
        Column("artifact_over_frozen_lower", REAL, "Lower end of its 95 % interval", "outcome"),
        Column("artifact_over_frozen_upper", REAL, "Upper end of its 95 % interval", "outcome"),
        Column("artifact_compounding", TEXT, "compounding | worse | undecided | not_measured", required=True),
        Column("says", TEXT, "What follows, in words", required=True),
    ),
)
