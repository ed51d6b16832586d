"""Every gate's verdict on every example."""

import pyarrow as pa

from flywheel_assets.tables.table import DAY, REAL, TEXT, Column, Table

OFFSETS = pa.list_(pa.struct([("field", pa.string()), ("start", pa.int64()), ("end", pa.int64())]))

GATE_VERDICTS = Table(
    name="gate_verdicts",
    stage="observations",
    row="One gate's verdict on one example.",
    key=("example_id", "gate"),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day on which the run started", required=True),
        Column("example_id", TEXT, "The example", required=True),
        Column("gate", TEXT, "Gate: a file in observations/gates", required=True),
        Column("gate_version", TEXT, "Version of the gate, with ' in shadow' where it refuses nothing", required=True),
        Column("verdict", TEXT, "allow | hold (may pass later) | discard", required=True),
        Column("reason", TEXT, "Reason code; NULL when allowed without remark"),
        Column("detail", TEXT, "What was seen, without the content itself"),
        Column("offsets", OFFSETS, "Where in input_text or output_text, in characters"),
        Column("confidence", REAL, "How sure the gate is", "probability", required=True),
    ),
)
