"""Runs and spans with a fused label, its confidence, and who voted."""

from flywheel_assets.tables.agent_runs import RUN_FACTS
from flywheel_assets.tables.table import INT, REAL, TEXT, TEXTS, TIME, Column, Table

LABEL_FACTS = (
    Column("example_id", TEXT, "run_id at run grain, TRACE:SPAN at span grain", required=True),
    Column("grain", TEXT, "run | span", required=True),
    Column("span_id", TEXT, "The span, at span grain"),
    Column("outcome", REAL, "Fused outcome in [0, 1]; NULL unless outcome_state is labeled", "outcome"),
    Column(
        "outcome_state",
        TEXT,
        "labeled | missing (nobody said) | immature (its horizon has not passed) | open",
        required=True,
    ),
    Column(
        "known_at",
        TIME,
        "When all that decides the outcome had been said: the run's end, or the last such statement after it",
    ),
    Column("confidence", REAL, "Confidence of the fused outcome, in [0.5, 1]", "probability"),
    Column("weight", REAL, "Evidence weight: 2 × confidence − 1, less if label_suspects lists it", "weight"),
    Column("tier", TEXT, "Highest tier that voted; lower tiers do not move the outcome"),
    Column("labelers", TEXTS, "Labelers that voted", required=True),
    Column("votes", INT, "Votes cast", "votes", required=True),
    Column("dissent", INT, "Votes on the other side of 0.5 from the fused outcome", "votes", required=True),
)

LABELED_EXAMPLES = Table(
    name="labeled_examples",
    stage="examples",
    row="One run (or one voted-on span) with its label, or with why it has none.",
    key=("example_id",),
    by_day=True,
    columns=(*RUN_FACTS, *LABEL_FACTS),
)
