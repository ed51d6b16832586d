"""Fold a day's spans into runs."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.runs.content import answered, asked
from flywheel_assets.runs.script import run_script
from flywheel_assets.runs.units import registry
from flywheel_assets.runs.window import DAY, gather, place_window
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.run_spans import RUN_SPANS
from flywheel_assets.tables.statements import PRICES, SKILL_NAMES

# How long after a run's last sign of life others' later ones mean that it has none left.
ABANDONED_AFTER = timedelta(hours=24)
# Whole conversations come in each row; only their last words stay.
ROWS_AT_ONCE = 10_000
TEXTS = ["input_text", "output_text"]
CONTENT = pa.schema(
    [
        ("run", pa.int64()),
        ("input_text", pa.string()),
        ("output_text", pa.string()),
        ("context_json", pa.string()),
        ("flywheel_skill", pa.bool_()),
        ("tool_schema_hash", pa.string()),
    ]
)


def fold_runs(
    con: duckdb.DuckDBPyConnection, day: date, abandoned_after: timedelta = ABANDONED_AFTER
) -> tuple[pa.Table, pa.Table]:
    """`agent_runs` of the runs that start on `day`, and `run_spans` of every span they hold.

    `con` shows `raw_spans` of the day, the one before and the one after. Over all days, every span
    has exactly one row in `run_spans`: a span looks for its run no further back than the day before
    its own, and is written with the day its run started, or with its own where it has none. Time is
    what the spans show of it: an open run is abandoned when one on `con` starts later than its last
    sign of life plus `abandoned_after`, which is a day at most: further ahead nothing is looked at.
    """
    for table in (PRICES, SKILL_NAMES):
        try:
            con.table(table.name)
        except duckdb.CatalogException:
            con.register(table.name, table.empty())
    gather(con, day)
    place_window(con, day - DAY, day, day, "placed_today")
    place_window(con, day, day + DAY, None, "placed_tomorrow")
    given = {"yesterday": day - DAY, "day": day, "bare": registry.BARE}
    run_script(con, "members", given, {"durable": registry.durable_sql()})
    run_script(con, "idle")
    run_script(con, "runs")
    found = _content(con, day)
    con.register("content_found", found.drop_columns(TEXTS))
    given = {"day": day, "abandoned_after_ns": abandoned_after // timedelta(microseconds=1) * 1000}
    runs = run_script(con, "agent_runs", given, {"silent": registry.silent_sql()}).to_arrow_table()
    runs = _with_texts(runs.take(pc.sort_indices(runs["run_id"])), found)
    spans = run_script(con, "run_spans", {"day": day}).to_arrow_table()
    con.unregister("content_found")
    return AGENT_RUNS.conform(runs), RUN_SPANS.conform(spans)


def _content(con: duckdb.DuckDBPyConnection, day: date) -> pa.Table:
    """What the attributes of chosen spans hold, with readable texts in place of raw messages."""
    found = run_script(con, "content", {"day": day}).to_arrow_reader(ROWS_AT_ONCE)
    return pa.concat_tables([CONTENT.empty_table(), *(_readable(pa.table(batch)) for batch in found)])


def _with_texts(runs: pa.Table, found: pa.Table) -> pa.Table:
    """The runs with what they were asked and answered: long texts pass through no join, which would copy them."""
    for name in TEXTS:
        said = found.select(["run", name]).filter(pc.field(name).is_valid())
        place = pc.index_in(runs["run"], said["run"].combine_chunks())
        runs = runs.append_column(name, said[name].take(place))
    return runs.drop_columns(["run"])


def _readable(found: pa.Table) -> pa.Table:
    for name, read in zip(TEXTS, (asked, answered), strict=True):
        raw = found.column(name).to_pylist()
        texts = pa.array([None if text is None else read(text) for text in raw], type=pa.string())
        found = found.set_column(found.column_names.index(name), name, texts)
    return found.select(CONTENT.names).cast(CONTENT)
