"""What later days need to know of a day to recognise its duplicates."""

import pyarrow as pa

from flywheel_assets.tables.table import DAY, TEXT, TIME, Column, Table

EXAMPLE_SIGNATURES = Table(
    name="example_signatures",
    stage="observations",
    row="One example's content hash and MinHash signature.",
    key=("example_id",),
    by_day=True,
    columns=(
        Column("day", DAY, "UTC day on which the run started", required=True),
        Column("example_id", TEXT, "The example", required=True),
        Column("start_time", TIME, "Start of the run", required=True),
        Column("scope", TEXT, "Who could have repeated it: session, else principal", required=True, private="name"),
        Column("content_hash", TEXT, "SHA-256 of normalised skill, arm, input and output", required=True),
        Column("minhash", pa.list_(pa.int64()), "MinHash signature over word 5-grams", required=True),
    ),
)
