"""Which runs argued for and against a verdict, and how strongly: the upper half of lineage."""

from flywheel_assets.tables.table import REAL, TEXT, Column, Table

DECISION_ARGUMENTS = Table(
    name="decision_arguments",
    stage="decisions",
    row="One run's part in one verdict.",
    key=("entry_id", "run_id"),
    columns=(
        Column("entry_id", TEXT, "Ledger entry", required=True),
        Column("experiment_id", TEXT, "Experiment", required=True),
        Column("run_id", TEXT, "Run", required=True),
        Column("trace_id", TEXT, "Its trace", required=True),
        Column("root_span_id", TEXT, "Its root span", required=True),
        Column("unit_id", TEXT, "Unit it stands for", required=True, private="name"),
        Column("side", TEXT, "candidate | incumbent", required=True),
        Column("outcome", REAL, "Its outcome", "outcome", required=True),
        Column(
            "weight",
            REAL,
            "Log-growth of the e-process it caused: positive argues for, negative against",
            "nats",
            required=True,
        ),
    ),
)
