"""What tools gave back to a day's runs, where it hints at planted instructions: candidates, to be judged."""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.injection import HINT

RESULTS = pa.schema([(name, pa.string()) for name in ("run_id", "span_id", "text")])
# Texts that wait in memory to be searched.
ROWS_AT_ONCE = 50_000
_TEXTS = pa.schema([(name, pa.string()) for name in ("trace_id", "span_id", "text")])
_SQL = Path(__file__).with_suffix(".sql").read_text()
_OF_RUNS = """
SELECT members.run_id, hinted.span_id, hinted.text
FROM hinted_results AS hinted
JOIN run_spans AS members ON members.trace_id = hinted.trace_id AND members.span_id = hinted.span_id
WHERE members.day = $day AND members.run_id IS NOT NULL
ORDER BY members.run_id, hinted.span_id
"""


def hinted_results(con: duckdb.DuckDBPyConnection, day: date) -> pa.Table:
    """`run_id`, `span_id` and `text` of such results, in that order.

    Arrow finds an expression in two thirds of DuckDB's time, and hardly a day has a hint whose run is to be looked up.
    """
    texts = (pa.table(batch) for batch in con.execute(_SQL, {"day": day}).to_arrow_reader(ROWS_AT_ONCE))
    hinted = [some.filter(pc.match_substring_regex(some["text"], HINT)) for some in texts]
    found = pa.concat_tables([_TEXTS.empty_table(), *hinted])
    if not found.num_rows:
        return RESULTS.empty_table()
    con.register("hinted_results", found)
    results = con.execute(_OF_RUNS, {"day": day}).to_arrow_table()
    con.unregister("hinted_results")
    return results
