"""Spans that cannot be placed: no usable id or time. Their bytes stay in the landing file."""

from flywheel_assets.tables.table import INT, TEXT, TIME, Column, Table

SPAN_REJECTIONS = Table(
    name="span_rejections",
    stage="sources",
    row="One span of an accepted batch that was set aside, with the reason.",
    key=("batch_id", "position"),
    columns=(
        Column("batch_id", TEXT, "The batch it came in", required=True),
        Column("position", INT, "Position of the span in its batch, from 0", required=True),
        Column(
            "reason",
            TEXT,
            "trace_id_length | span_id_length | zero_id | time_missing | time_out_of_range",
            required=True,
        ),
        Column("detail", TEXT, "The offending value and what would be accepted", private="words"),
        Column("trace_id", TEXT, "As received, hex"),
        Column("span_id", TEXT, "As received, hex"),
        Column("landed_at", TIME, "When the batch was indexed", required=True),
    ),
)
