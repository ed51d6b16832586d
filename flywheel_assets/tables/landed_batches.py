"""What arrived: one row per batch, its bytes kept as received in a landing file."""

import pyarrow as pa

from flywheel_assets.tables.table import DAY, INT, TEXT, TIME, Column, Table

LANDED_BATCHES = Table(
    name="landed_batches",
    stage="sources",
    row="One batch (an OTLP export request, or a line of posted feedback) found in the inbox, accepted or set aside.",
    key=("file", "ordinal"),
    columns=(
        Column("batch_id", TEXT, "SHA-256 of the batch's bytes, hex: equal bytes are the same batch", required=True),
        Column(
            "status", TEXT, "accepted | duplicate (bytes already landed) | rejected (cannot be parsed)", required=True
        ),
        Column("reason", TEXT, "Why it was rejected, and what to do; NULL when accepted"),
        Column("signal", TEXT, "traces | feedback", required=True),
        Column("format", TEXT, "protobuf | json", required=True),
        Column("source", TEXT, "Which door it came through: otlp | files | feedback | demo | …", required=True),
        Column("file", TEXT, "Landing file, relative to the landing folder", required=True),
        Column("ordinal", INT, "Position of the batch in its file, from 0", required=True),
        Column("offset", INT, "Where the batch's bytes start in the (decompressed) file", "bytes", required=True),
        Column("length", INT, "Length of the batch", "bytes", required=True),
        Column("landed_at", TIME, "When the batch was found and indexed", required=True),
        Column("spans", INT, "Spans (or feedback rows) in the batch", "spans", required=True),
        Column("spans_set_aside", INT, "Of these, set aside with a reason in span_rejections", "spans", required=True),
        Column("days", pa.list_(DAY), "UTC days of the spans' start times, ascending", required=True),
    ),
)
