"""Examples as the labelling stage leaves them, and a DuckDB that holds them."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest

from flywheel_assets.lake.session import connection
from flywheel_assets.observations.admit import admit, sign
from flywheel_assets.tables.example_signatures import EXAMPLE_SIGNATURES
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.run_spans import RUN_SPANS
from flywheel_assets.tables.source_findings import SOURCE_FINDINGS
from flywheel_assets.tables.statements import GATE_SETTINGS

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

Row = dict[str, object]
GIVEN = {
    "spans": RAW_SPANS,
    "batches": LANDED_BATCHES,
    "feedback": FEEDBACK,
    "settings": GATE_SETTINGS,
    "findings": SOURCE_FINDINGS,
    "members": RUN_SPANS,
}


@pytest.fixture(scope="session")
def example() -> Callable[..., Row]:
    """A run that every gate allows, but for what is given; `minute` after noon on `day`."""

    def build(run_id: str = "run-1", minute: int = 0, day: date = DAY, **given: object) -> Row:
        start = NOON + (day - DAY) + timedelta(minutes=minute)
        row: Row = {
            "day": day,
            "run_id": run_id,
            "example_id": run_id,
            "grain": "run",
            "trace_id": f"trace-{run_id}",
            "root_span_id": "root",
            "runtime": "gen_ai",
            "start_time": start,
            "skill": "triage",
            "arm": "provider/small|-|-",
            "model": "provider/small",
            "status": "ok",
            "outcome": 1.0,
            "outcome_state": "labeled",
            "confidence": 0.9,
            "weight": 0.8,
            "tier": "check",
            "labelers": ["unit_test"],
            "votes": 1,
            "dissent": 0,
        }
        return row | given

    return build


@pytest.fixture(scope="session")
def inputs() -> Callable[..., duckdb.DuckDBPyConnection]:
    """A connection that holds examples, earlier signatures, and the spans and batches of arrivals."""

    def build(
        rows: Sequence[Row], signatures: pa.Table | None = None, **given: Sequence[Row]
    ) -> duckdb.DuckDBPyConnection:
        con = connection()
        con.register("labeled_examples", LABELED_EXAMPLES.rows(rows))
        con.register("example_signatures", EXAMPLE_SIGNATURES.empty() if signatures is None else signatures)
        for name, table in GIVEN.items():
            con.register(table.name, table.rows(given.get(name, ())))
        return con

    return build


@pytest.fixture(scope="session")
def admitted(inputs: Callable[..., duckdb.DuckDBPyConnection]) -> Callable[..., tuple[pa.Table, pa.Table, pa.Table]]:
    """Signs each day of the rows, then admits the last one."""

    def run(rows: Sequence[Row], **given: Sequence[Row]) -> tuple[pa.Table, pa.Table, pa.Table]:
        days = sorted({row["day"] for row in rows}, key=str)
        signed = pa.concat_tables([sign(inputs(rows, **given), day)[0] for day in days])
        return admit(inputs(rows, signed, **given), days[-1])

    return run
