"""The spans of the day's runs, as labelers see them.

Ids are long, and a day has as many of them as spans: they are looked up once, and from then on a run is a number.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

HERE = Path(__file__).parent
Flags = NDArray[np.bool_]
Index = NDArray[np.int64]
# Of their runs the roots are spans that nobody can say anything on.
DURABLE = ("restate", "inngest")
FEW = 100


def work(con: duckdb.DuckDBPyConnection, day: date, runs: pa.Table) -> pa.Table:
    """Spans that started with those of `runs`, the day's `agent_runs`; `run` is the number of their run there, or NULL.

    `stands_for_run`: what is said of the span is said of the run. That is its root; and where the root
    is a durable runtime's own span, which nobody can say anything on, the agent span that holds all
    others of the last attempt.
    """
    ours = f"run_spans WHERE day = DATE '{day}' AND run_id IS NOT NULL"
    members = con.sql(
        f"SELECT run_id, trace_id, span_id, span_day, role, coalesce(attempt, 0) AS attempt FROM {ours}"
    ).to_arrow_table()
    told = (HERE / "work.sql").read_text()
    spans = con.sql(f"{told} WHERE day = DATE '{day}'").to_arrow_table()
    tails = pc.unique(members.filter(pc.not_equal(members["span_day"], pa.scalar(day, pa.date32())))["trace_id"])
    if len(tails):
        con.register("tails", pa.table({"trace_id": tails}))
        later = f"{told} SEMI JOIN tails USING (trace_id) WHERE day != $day"
        later = f"{later} AND ($few IS NULL OR list_contains($few, trace_id))"
        spans = pa.concat_tables([spans, con.execute(later, {"day": day, "few": few(tails)}).to_arrow_table()])
    places = ids(spans)
    found = pc.index_in(places, ids(members))
    run = pc.index_in(members["run_id"], runs["run_id"].combine_chunks()).take(found).combine_chunks()
    spans = pa.table(
        {
            "run_id": pa.DictionaryArray.from_arrays(run, runs["run_id"].combine_chunks()),
            "run": run,
            "role": members["role"].take(found),
            "attempt": members["attempt"].take(found),
            "place": places,
            **{name: spans[name] for name in spans.column_names},
        }
    )
    return spans.append_column("is_last_call", _only(_last_calls(spans), len(spans))).append_column(
        "stands_for_run", pc.or_(pc.equal(spans["role"], "root"), _only(_heads(spans, runs), len(spans)))
    )


def few(traces: pa.Array) -> list[str] | None:
    """Traces to look for where files are read, by which columns of all other spans are left alone; None: too many."""
    return traces.to_pylist() if len(traces) <= FEW else None


def numbers(column: pa.ChunkedArray) -> Index:
    """The column's numbers; -1 in place of NULL."""
    return pc.fill_null(column, -1).to_numpy().astype(np.int64)


def flags(column: pa.ChunkedArray) -> Flags:
    """Where the column is true."""
    return pc.fill_null(column, fill_value=False).to_numpy().astype(np.bool_)


def ids(spans: pa.Table, span: str = "span_id") -> pa.Array:
    """TRACE:SPAN of the spans, or of their parents."""
    return pc.binary_join_element_wise(spans["trace_id"], spans[span], ":").combine_chunks()


def latest(group: Index, start: Index, span_id: pa.ChunkedArray) -> Index:
    """By group the place of what started last in it; of several at once the one with the greatest id."""
    order = np.lexsort((start, group))
    if (~np.diff(group[order]).astype(np.bool_) & ~np.diff(start[order]).astype(np.bool_)).any():
        order = np.lexsort((_rank(span_id), start, group))
    return order[np.append(np.diff(group[order]) != 0, True)[: len(order)]]


def _rank(texts: pa.ChunkedArray) -> Index:
    return pc.rank(texts, tiebreaker="dense").to_numpy().astype(np.int64)


def _only(places: Index, length: int) -> pa.Array:
    found = np.zeros(length, np.bool_)
    found[places] = True
    return pa.array(found)


def _last_calls(spans: pa.Table) -> Index:
    """By run the model call that started last."""
    called = pc.and_(pc.equal(spans["operation"], "llm"), pc.is_in(spans["role"], pa.array(["llm", "root"])))
    calls = np.flatnonzero(flags(called) & (numbers(spans["run"]) >= 0))
    mine = spans.select(["run", "start_unix_nano", "span_id"]).take(pa.array(calls))
    return calls[latest(numbers(mine["run"]), numbers(mine["start_unix_nano"]), mine["span_id"])]


def _heads(spans: pa.Table, runs: pa.Table) -> Index:
    """By run of a durable runtime the agent span that holds all others of its last attempt, where there is one."""
    durable = flags(pc.is_in(runs["runtime"], pa.array(DURABLE)))
    agent = pc.is_in(spans["operation"], pa.array(["agent", "chain", "workflow"]))
    run = numbers(spans["run"])
    agents = np.flatnonzero(flags(pc.and_(agent, pc.equal(spans["role"], "step"))) & (run >= 0))
    agents = agents[durable[run[agents]]]
    mine = spans.select(["attempt", "start_unix_nano", "end_unix_nano", "span_id"]).take(pa.array(agents))
    run = run[agents]
    attempt, start, end = (numbers(mine[name]) for name in mine.column_names[:3])
    order = np.lexsort((_rank(mine["span_id"]), -end, start, -attempt, run))
    last, ends = np.full(len(runs), -1), np.full(len(runs), -1)
    np.maximum.at(last, run, attempt)
    of_last = attempt == last[run]
    np.maximum.at(ends, run[of_last], end[of_last])
    firsts = order[np.append(True, np.diff(run[order]) != 0)[: len(order)]]
    return agents[firsts[end[firsts] >= ends[run[firsts]]]]
