"""Collect a day's feedback: evaluation events, annotations, scores, and what was posted."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, cast

import duckdb
import orjson
import pyarrow as pa

from flywheel_assets.examples.spoken import annotations, evaluation, posted_statement, score
from flywheel_assets.examples.statement import SAID, Statement
from flywheel_assets.tables.corrections import CORRECTIONS
from flywheel_assets.tables.feedback import FEEDBACK

HERE = Path(__file__).parent
ANNOTATION = "contains(k, 'annotations.') OR starts_with(k, 'evaluations.')"
CANDIDATE = """
    annotated IS DISTINCT FROM false AND (operation = 'evaluation' OR dialect = 'openinference')
    OR (dialect = 'inngest' AND name = 'metadata')
"""


def collect_feedback(con: duckdb.DuckDBPyConnection, day: date, posted: Sequence[bytes]) -> tuple[pa.Table, pa.Table]:
    """`feedback` and `corrections` of the day: what its spans in `raw_spans` carry, and what was posted of it.

    `posted` are bodies of JSON lines. What was said on a span belongs to the span's day, even if the
    event itself comes after midnight. Repeats collapse; a line that cannot be read is no statement.
    """
    said = [*_events(con, day), *_annotations(con, day), *_posted(posted, day)]
    kept = {statement.feedback_id: statement for statement in said}
    kept = {key: kept[key] for key in sorted(kept)}
    columns = {name: [one[place] for one in kept.values()] for place, name in enumerate(SAID)}
    feedback = pa.table({"day": [day] * len(kept), "feedback_id": list(kept), **columns}, FEEDBACK.schema)
    shown = [row for key, one in kept.items() if (row := one.shown_row(day, key)) is not None]
    return FEEDBACK.conform(feedback), CORRECTIONS.conform(CORRECTIONS.rows(shown))


def _events(con: duckdb.DuckDBPyConnection, day: date) -> Iterator[Statement]:
    con.execute((HERE / "statements.sql").read_text(), {"day": day})
    yield from map(evaluation, _rows(con))


def _annotations(con: duckdb.DuckDBPyConnection, day: date) -> Iterator[Statement]:
    # Looking into attributes reads them all: only where some span may have annotations.
    some = con.execute(f"SELECT count(*) FROM raw_spans WHERE day = $day AND ({CANDIDATE})", {"day": day}).fetchall()
    if not some[0][0]:
        return
    sql = (HERE / "annotations.sql").read_text().replace("{annotation}", ANNOTATION).replace("{candidate}", CANDIDATE)
    con.execute(sql, {"day": day})
    for row in _rows(con):
        read = score if row["form"] == "inngest" else annotations
        yield from read(row, _object(row["body"]))


def _rows(con: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    for batch in con.to_arrow_reader(10_000):
        yield from batch.to_pylist()


def _posted(bodies: Sequence[bytes], day: date) -> Iterator[Statement]:
    for body in bodies:
        for line in body.splitlines():
            said = _object(line)
            statement = posted_statement(said)
            if statement is not None and (said.get("day") or f"{statement.observed_at:%Y-%m-%d}") == day.isoformat():
                yield statement


def _object(text: str | bytes | None) -> Mapping[str, object]:
    try:
        found = orjson.loads(text or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}
