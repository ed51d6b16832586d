"""What the operator states in files, as far as days are built by it."""

from flywheel_assets.tables.table import DAY, REAL, TEXT, Column, Table

PRICES = Table(
    name="prices",
    stage="sources",
    row="The price of models whose name fits, from a day on, as stated in prices.yaml.",
    key=("model_pattern", "from_day"),
    columns=(
        Column("model_pattern", TEXT, "Model, or provider/model; * and ? match", required=True),
        Column("from_day", DAY, "First day (UTC) on which it holds", required=True),
        Column("input_usd", REAL, "Input tokens", "USD per 1M tokens", required=True),
        Column("output_usd", REAL, "Output tokens, reasoning included", "USD per 1M tokens", required=True),
        Column("cache_read_usd", REAL, "Input tokens read from cache", "USD per 1M tokens", required=True),
        Column("cache_write_usd", REAL, "Input tokens written to cache", "USD per 1M tokens", required=True),
    ),
)

SKILL_NAMES = Table(
    name="skill_names",
    stage="sources",
    row="What telemetry calls an agent, function, root span or service, and the skill it is, from skills.yaml.",
    key=("pattern",),
    columns=(
        Column("pattern", TEXT, "Name in telemetry; * and ? match", required=True),
        Column("skill", TEXT, "Skill", required=True),
    ),
)

GATE_SETTINGS = Table(
    name="gate_settings",
    stage="sources",
    row="What a gate goes by, from skills.yaml: that it is on trial, or one thing that it allows.",
    key=("gate", "name", "value"),
    columns=(
        Column("gate", TEXT, "Gate: a file in observations/gates, or an installed one", required=True),
        Column(
            "name", TEXT, "shadow (its verdicts are logged and refuse nothing) | tier | service | source", required=True
        ),
        Column("value", TEXT, "What is allowed; 'true' of a gate in shadow", required=True),
    ),
)

LABEL_SETTINGS = Table(
    name="label_settings",
    stage="sources",
    row="What labels are made by, from skills.yaml: of one skill, or, as '*', of any that has no row.",
    key=("name", "skill"),
    columns=(
        Column(
            "name", TEXT, "outcome_horizon_hours (without a row 24) | anchor_share (without a row 0.05)", required=True
        ),
        Column("skill", TEXT, "Skill, or '*'; a share is of all", required=True),
        Column("value", REAL, "Hours from a run's end, or share of runs", required=True),
    ),
)
