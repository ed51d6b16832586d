"""Spans of a day and its neighbours: gathered, linked by their ids, and placed in their runs."""

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flywheel_assets.runs.near import Near, codes, index_in
from flywheel_assets.runs.place import Placement, Window, place
from flywheel_assets.runs.script import prepare
from flywheel_assets.runs.tree import Flag, Index, numbered
from flywheel_assets.runs.units import registry

DAY = timedelta(days=1)

# The narrow columns that a fold needs of every span: content stays where it is.
# fmt: off
COLUMNS = (
    "day", "trace_id", "span_id", "parent_span_id", "name", "start_time", "start_unix_nano", "duration_ns",
    "status", "service_name", "operation", "input_tokens",
    "output_tokens", "fresh_input_tokens", "cache_read_tokens", "cache_write_tokens", "plain_output_tokens",
    "reasoning_tokens", "provider", "cost_usd", "finish_reason", "agent_name", "workflow_name", "session_id", "user_id",
    "prompt_version", "skill_name", "error_type", "invocation_id", "invocation_target", "step_id",
    "runtime_status", "decision_id",
    "policy_id", "experiment_id", "arm", "segment", "propensity", "keep_prob", "unit_id", "candidate_set",
    "input_key", "output_key",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Ids:
    """Rows by the ids of their spans: `pairs` has one number for each row's trace and span id."""

    trace: pa.DictionaryArray
    span: pa.DictionaryArray
    pairs: pa.Array

    @classmethod
    def of(cls, columns: pa.RecordBatch) -> "Ids":
        """The ids of those rows."""
        trace, span = (columns.column(name).dictionary_encode() for name in ("trace_id", "span_id"))
        return cls(trace, span, _pairs(codes(trace), codes(span), len(span.dictionary)))

    def rows(self, trace: Index, span_id: pa.Array) -> Index:
        """The row of each span, given by its trace's code and its own id; -1 where there is none."""
        span = index_in(span_id, self.span.dictionary)
        return index_in(_pairs(trace, span, len(self.span.dictionary)), self.pairs)


def gather(con: duckdb.DuckDBPyConnection, day: date) -> tuple[Near, Window]:
    """The day's spans and those that reach into it from its neighbours, each once; and how they hang together."""
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW unit_spans AS
        SELECT {", ".join(COLUMNS)}, runtime, coalesce(response_model, request_model) AS model,
            hash(trace_id, span_id) AS tie,
            {registry.states_sql()} AS states,
            {registry.answered_sql()} AS answered,
            {registry.begins_sql()} AS begins,
            {registry.mirrors_sql()} AS mirrors,
            {registry.attempt_sql()} AS stated_attempt,
            {registry.waited_sql()} AS waited_ns,
            {registry.invoking_sql()} AS invoking
        FROM (SELECT *, {registry.runtime_sql()} AS runtime FROM raw_spans)
    """)
    query = prepare(con, "near", variables={"yesterday": day - DAY, "day": day, "tomorrow": day + DAY})
    found = con.sql(query).to_arrow_table()
    columns = pa.RecordBatch.from_arrays([_whole(column) for column in found.columns], found.column_names)
    ids = Ids.of(columns)
    if len(ids.span.dictionary) < len(columns):
        _, first = np.unique(ids.pairs.to_numpy(), return_index=True)
        columns = columns.take(pa.array(np.sort(first)))
        ids = Ids.of(columns)
    reaching = con.table("reaching").to_arrow_table()["trace_id"]
    reaches = np.isin(codes(ids.trace), index_in(reaching.combine_chunks(), ids.trace.dictionary))
    columns = columns.append_column("reaches", pa.array(reaches))
    near = Near(columns, in_order(*(columns.column(name).to_numpy() for name in ("start_unix_nano", "tie"))))
    return near, _window(con, near, ids)


def in_order(start: Index, tie: NDArray[np.uint64]) -> Index:
    """As `np.lexsort((tie, start))`, which sorts all by the ties first: few spans start at one moment."""
    order = np.argsort(start)
    same = np.diff(start[order]) == 0
    alike = np.flatnonzero(np.append(False, same) | np.append(same, False))
    spans = np.sort(order[alike])
    order[alike] = spans[np.lexsort((tie[spans], start[spans]))]
    return order


def _window(con: duckdb.DuckDBPyConnection, near: Near, ids: Ids) -> Window:
    invocation = near.columns.column("invocation_id").dictionary_encode()
    trace = codes(ids.trace)
    parent = ids.rows(trace, near.columns.column("parent_span_id"))
    invoked = np.full(len(near), -1)
    if near.flags("invoking").any():
        made = _invocations_made(con)
        rows = ids.rows(index_in(made["trace_id"], ids.trace.dictionary), made["span_id"])
        invoked[rows[rows >= 0]] = index_in(made["invokes"], invocation.dictionary)[rows >= 0]
    trace, called = trace[near.row], codes(invocation)[near.row]
    first_called = _earliest(called, len(invocation.dictionary))
    return Window(
        parent=numbered(near.row, len(near))[parent][near.row],
        trace=_earliest(trace, len(ids.trace.dictionary))[trace],
        invocation=first_called[called],
        invoked=first_called[invoked[near.row]],
        opens=near.known("runtime"),
        llm=near.equal("operation", "llm"),
        evaluation=near.equal("operation", "evaluation"),
        tries=near.equal("operation", "attempt") & near.equal("runtime", "restate"),
        failed=near.equal("status", "error"),
        attempt=np.where(near.known("stated_attempt"), near.numbers("stated_attempt"), np.nan),
    )


def _invocations_made(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Which spans started which runs as part of their own. This reads all of their attributes."""
    return con.sql(f"""
        SELECT trace_id, span_id, {registry.invokes_sql()} AS invokes FROM raw_spans WHERE {registry.invoking_sql()}
    """).to_arrow_table()


def placed(whole: Window, inside: Flag) -> Placement:
    """The run of every span inside, where only those are looked at; all others have none."""
    spans = np.flatnonzero(inside)
    found = place(whole if len(spans) == len(inside) else _part(whole, spans))
    named = {field.name: getattr(found, field.name) for field in fields(Placement)}
    for key in ("root", "first"):
        named[key] = np.append(spans, -1)[named[key]]
    return Placement(**{key: _spread(values, spans, len(inside)) for key, values in named.items()})


def _part(whole: Window, spans: Index) -> Window:
    """The window of some spans, as if there were no others."""
    part = {field.name: getattr(whole, field.name)[spans] for field in fields(Window)}
    invocations = _earliest(part["invocation"], len(whole.invocation))
    part["parent"] = numbered(spans, len(whole.parent))[part["parent"]]
    part["trace"] = _earliest(part["trace"], len(whole.trace))[part["trace"]]
    part["invocation"], part["invoked"] = invocations[part["invocation"]], invocations[part["invoked"]]
    return Window(**part)


def _spread(values: NDArray[Any], spans: Index, size: int) -> NDArray[Any]:
    everywhere = np.full(size, False if values.dtype == np.bool_ else -1, values.dtype)
    everywhere[spans] = values
    return everywhere


def _earliest(group: Index, size: int) -> Index:
    """The first member of each of `size` groups, -1 for those that have none, and for -1."""
    earliest = np.full(size + 1, -1)
    # Of what is written to one place the last stays.
    earliest[group[::-1]] = np.arange(len(group))[::-1]
    earliest[-1] = -1
    return earliest


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _pairs(trace: Index, span: Index, spans: int) -> pa.Array:
    return pa.array(trace * spans + span, mask=(trace < 0) | (span < 0))
