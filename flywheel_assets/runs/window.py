"""Spans of a day and its neighbour, each placed in its run, as a table in DuckDB."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

import duckdb
import numpy as np
import pyarrow as pa

from flywheel_assets.runs.place import Placement, Window, place
from flywheel_assets.runs.script import run_script
from flywheel_assets.runs.tree import Index
from flywheel_assets.runs.units import registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY = timedelta(days=1)

# The narrow columns that a fold needs of every span: content stays where it is.
# fmt: off
COLUMNS = (
    "day", "trace_id", "span_id", "parent_span_id", "name", "start_time", "start_unix_nano", "duration_ns",
    "status", "service_name", "dialect", "operation", "request_model", "response_model", "input_tokens",
    "output_tokens", "fresh_input_tokens", "cache_read_tokens", "cache_write_tokens", "plain_output_tokens",
    "reasoning_tokens", "provider", "cost_usd", "finish_reason", "agent_name", "workflow_name", "session_id", "user_id",
    "prompt_version", "skill_name", "error_type", "invocation_id", "invocation_target", "step_id",
    "runtime_status", "decision_id",
    "policy_id", "experiment_id", "arm", "segment", "propensity", "keep_prob", "unit_id", "candidate_set",
    "input_key", "output_key",
)
# fmt: on


def gather(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Table `near`: the day's spans, those that reach into it from its neighbours, each span once."""
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW unit_spans AS
        SELECT {", ".join(COLUMNS)}, runtime,
            {registry.states_sql()} AS states,
            {registry.answered_sql()} AS answered,
            {registry.begins_sql()} AS begins,
            {registry.mirrors_sql()} AS mirrors,
            {registry.attempt_sql()} AS stated_attempt,
            {registry.waited_sql()} AS waited_ns
        FROM (SELECT *, {registry.runtime_sql()} AS runtime FROM raw_spans)
    """)
    run_script(con, "near", {"yesterday": day - DAY, "day": day, "tomorrow": day + DAY})
    repeated = con.execute("SELECT count(*) > count(DISTINCT (trace_id, span_id)) FROM near").fetchall()[0][0]
    if repeated:
        con.execute("CREATE OR REPLACE TEMP TABLE near AS SELECT DISTINCT ON (trace_id, span_id) * FROM near")
    _gather_invocations(con)


def _gather_invocations(con: duckdb.DuckDBPyConnection) -> None:
    """Table `invocations_made`: which spans started which runs as part of their own."""
    invoking = registry.invoking_sql()
    # Looking into attributes reads them all: only where there is something to look for.
    some = con.execute(f"SELECT count(*) FROM near WHERE {invoking}").fetchall()[0][0] > 0
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE invocations_made AS
        SELECT DISTINCT ON (trace_id, span_id) trace_id, span_id, {registry.invokes_sql()} AS invokes
        FROM raw_spans WHERE {some} AND ({invoking})
    """)


def place_window(con: duckdb.DuckDBPyConnection, first: date, last: date, whole: date | None, name: str) -> None:
    """Table `name`: the spans of `near` on first..last, each with its run's root, by row of `near`.

    All spans of the day `whole`; of other days those in traces and invocations that reach over
    midnight.
    """
    found = run_script(con, "edges", {"first": first, "last": last, "whole": whole}).fetchnumpy()
    columns = cast("dict[str, NDArray[Any]]", found)
    row = columns.pop("row")
    # The order of time is the order of the arrays: "first" and "earliest" then mean the least index.
    order = np.lexsort((columns.pop("tie"), columns.pop("start")))
    place_of = np.full(int(row.max()) + 2 if len(row) else 1, -1, dtype=np.int64)
    place_of[row[order]] = np.arange(len(row))
    columns["attempt"] = np.ma.filled(columns["attempt"], np.nan)
    columns = {key: value[order] for key, value in columns.items()}
    for key in ("parent", "trace", "invocation", "invoked"):
        # Row -1 reads the last, unused entry.
        columns[key] = place_of[columns[key]]
    earliest = _earliest(columns["invocation"])
    columns["invocation"], columns["invoked"] = earliest[columns["invocation"]], earliest[columns["invoked"]]
    con.register("placement", _arrow(place(Window(**columns)), row[order]))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM placement")
    con.unregister("placement")


def _earliest(group: Index) -> Index:
    """The first member of each group of equal, non-negative numbers; the last entry, for -1, is -1."""
    earliest = np.full(len(group) + 1, len(group), dtype=np.int64)
    members = np.flatnonzero(group >= 0)
    np.minimum.at(earliest, group[members], members)
    earliest[-1] = -1
    return earliest


def _arrow(placement: Placement, row: Index) -> pa.Table:
    rows = np.append(row, -1)
    return pa.table(
        {
            "row": row,
            "place": np.arange(len(row)),
            "root": rows[placement.root],
            "first": rows[placement.first],
            "annotation": placement.annotation,
            "call": placement.call,
            "own": placement.own,
            "attempt": placement.attempt,
        }
    )
