"""What the operator states in files: prices of tokens, names of skills, gates on trial, how long outcomes take."""

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

SHADOW_GATES = Table(
    name="shadow_gates",
    stage="sources",
    row="A gate whose verdicts are logged and refuse nothing, from skills.yaml.",
    key=("gate",),
    columns=(Column("gate", TEXT, "Gate: a file in observations/gates, or an installed one", required=True),),
)

OUTCOME_HORIZONS = Table(
    name="outcome_horizons",
    stage="sources",
    row="How long a skill's outcome may still come, from skills.yaml; a skill without a row has the one of '*'.",
    key=("skill",),
    columns=(
        Column("skill", TEXT, "Skill; '*': any that has no row", required=True),
        Column("hours", REAL, "From a run's end; without a row for '*', 24", "h", required=True),
    ),
)
