"""Arms worth trying instead of the one in production."""

from flywheel_assets.tables.table import INT, REAL, TEXT, Column, Table

ROUTING_CANDIDATES = Table(
    name="routing_candidates",
    stage="candidates",
    row="One arm of one skill, or one contextual policy over its arms, and whether it is proposed.",
    key=("skill", "arm"),
    columns=(
        Column("candidate_id", TEXT, "Hash of skill, arm and incumbent", required=True),
        Column("skill", TEXT, "Skill", required=True),
        Column("arm", TEXT, "Arm considered", required=True),
        Column("model", TEXT, "Its model", required=True),
        Column("prompt_version", TEXT, "Its prompt version"),
        Column("incumbent_arm", TEXT, "Arm in production"),
        Column("effective_n", REAL, "Effective evidence for the arm", "runs", required=True),
        Column("expected_value", REAL, "Posterior mean outcome minus priced cost", "value"),
        Column("probability_best", REAL, "Thompson: share of posterior draws in which it is best", "probability"),
        Column("expected_gain", REAL, "expected_value minus the incumbent's", "value"),
        Column("cost_usd", REAL, "Mean cost per run; NULL: not reported", "USD"),
        Column("state", TEXT, "proposed | incumbent | not_proposed | refused", required=True),
        Column("reason", TEXT, "Why", required=True),
        Column("policy_json", TEXT, "The rule of an arm 'scored/…', which chooses by the request, JSON; NULL: an arm"),
        Column("off_policy", TEXT, "What the log says of always taking this arm, or why that is not identifiable"),
        Column("off_policy_value", REAL, "Doubly robust value of always taking this arm; NULL: refused", "outcome"),
        Column("off_policy_lower", REAL, "Lower end of its 95 % confidence sequence", "outcome"),
        Column("off_policy_upper", REAL, "Upper end", "outcome"),
        Column("off_policy_ess", REAL, "Effective sample size behind it", "runs"),
        Column("off_policy_max_weight", REAL, "Largest importance weight"),
        Column("rank", INT, "Order among the skill's proposals, from 1"),
    ),
)
