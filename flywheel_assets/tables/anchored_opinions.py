"""What people answered about runs of the standing sample, beside what was said of them without the answer."""

from flywheel_assets.tables.table import DAY, REAL, TEXT, TEXTS, TIME, Column, Table

ANCHORED_OPINIONS = Table(
    name="anchored_opinions",
    stage="examples",
    row="One run of the standing sample that people answered about, and what one tier's votes said of it.",
    key=("day", "example_id", "tier"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day on which the run started", required=True),
        Column("example_id", TEXT, "The run", required=True),
        Column("tier", TEXT, "human | check | outcome | judge | heuristic: whose votes", required=True),
        Column("skill", TEXT, "Skill of the run; '-': unknown", required=True),
        Column("basis", TEXT, "claimed (votes counted as they say) | learned (from who agreed)", required=True),
        Column("log_odds", REAL, "For a good outcome, by the votes alone, in eighths", "nats", required=True),
        Column("answer", REAL, "What people answered, in [0, 1]", "outcome", required=True),
        Column("answered_at", TIME, "When they last did", required=True),
        Column("voices", TEXTS, "Who voted, with versions; all people are one voice", required=True, private="name"),
    ),
)

# How many days back answers put a day's probabilities right.
ANCHOR_DAYS = 28
# Of fewer answers about the same voices nothing is learned.
LEAST_ALIKE = 8
# Of the days before a day of `asked`, the answers that count (`said`) for it (`of`): of those about the same voices,
# the first that came, in a number rounded down to three binary digits. Else each would make all days after it stale.
EARLIER_ANCHORS = f"""
SELECT of, said FROM (
    SELECT asked.day AS of, anchored_opinions AS said, count(*) OVER alike AS among,
        row_number() OVER (alike ORDER BY answered_at, example_id) AS place
    FROM anchored_opinions JOIN asked
        ON anchored_opinions.day < asked.day AND anchored_opinions.day >= asked.day - {ANCHOR_DAYS}
    WINDOW alike AS (PARTITION BY asked.day, tier, skill, basis, voices)
)
WHERE among >= {LEAST_ALIKE} AND place <= among - among % (1 << (length(bin(among)) - 3))
"""
