"""How good each arm is at each skill, as far as production can tell."""

from flywheel_assets.tables.table import DAY, INT, REAL, TEXT, Column, Table

SKILL_SCORES = Table(
    name="skill_scores",
    stage="scores",
    row="One skill × arm over all days.",
    key=("skill", "arm"),
    columns=(
        Column("skill", TEXT, "Skill", required=True),
        Column("arm", TEXT, "Arm", required=True),
        Column("model", TEXT, "The arm's model", required=True),
        Column("prompt_version", TEXT, "The arm's prompt version"),
        Column("runs", INT, "Runs seen", "runs", required=True),
        Column("admitted", INT, "Runs with an admitted outcome", "runs", required=True),
        Column("missing", INT, "Runs whose outcome nobody stated", "runs", required=True),
        Column("immature", INT, "Runs whose outcome may still come", "runs", required=True),
        Column("refused", INT, "Runs with an outcome that a gate refused", "runs", required=True),
        Column("effective_n", REAL, "Kish effective sample size, after clustering and decay", "runs", required=True),
        Column("mean", REAL, "Weighted mean outcome; NULL without admitted runs", "outcome"),
        Column(
            "score",
            REAL,
            "Mean shrunk towards the skill's (beta–binomial; graded outcomes: normal–normal); NULL: no evidence",
            "outcome",
        ),
        Column("lower", REAL, "Lower end of the 95 % interval of score", "outcome"),
        Column("upper", REAL, "Upper end of the 95 % interval of score", "outcome"),
        Column("worst_case", REAL, "Mean if every missing outcome were 0 (Manski)", "outcome"),
        Column("best_case", REAL, "Mean if every missing outcome were 1 (Manski)", "outcome"),
        Column("cost_usd", REAL, "Mean cost per run; NULL: not reported", "USD"),
        Column("error_rate", REAL, "Share of runs with status error", "share"),
        Column("p50_seconds", REAL, "Median duration", "s"),
        Column("p95_seconds", REAL, "95th percentile of duration", "s"),
        Column("rank", INT, "Rank within the skill among arms whose intervals allow one"),
        Column("standing", TEXT, "best | tied | worse | unranked", required=True),
        Column("reason", TEXT, "Why it is unranked or tied", required=True),
        Column("first_day", DAY, "First day with runs", required=True),
        Column("last_day", DAY, "Last day with runs", required=True),
    ),
)
