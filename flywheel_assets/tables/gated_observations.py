"""Examples that every gate allowed: the only evidence later stages may use."""

from flywheel_assets.tables.agent_runs import RUN_FACTS
from flywheel_assets.tables.labeled_examples import LABEL_FACTS
from flywheel_assets.tables.table import FLAG, TEXT, TEXTS, Column, Table

GATED_OBSERVATIONS = Table(
    name="gated_observations",
    stage="observations",
    row="One admitted example, its text redacted.",
    key=("example_id",),
    by_day=True,
    columns=(
        *RUN_FACTS,
        *LABEL_FACTS,
        Column("redacted", FLAG, "Whether a gate redacted text; such text never reaches a prompt", required=True),
        Column("remarks", TEXTS, "Reason codes of gates that allowed with a remark", required=True),
    ),
)

REJECTIONS = Table(
    name="rejections",
    stage="observations",
    row="One example that was not admitted, its text redacted.",
    key=("example_id",),
    by_day=True,
    columns=(
        *RUN_FACTS,
        *LABEL_FACTS,
        Column("state", TEXT, "held | discarded", required=True),
        Column("gate", TEXT, "The gate that decided (discard before hold, then gate order)", required=True),
        Column("reason", TEXT, "Its reason code", required=True),
        Column("redacted", FLAG, "Whether a gate redacted text", required=True),
    ),
)
