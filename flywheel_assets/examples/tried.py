"""Lays out what signs look at (`signs/`): the day's failed runs, and what their spans' content shows."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.examples.failed import Failed
from flywheel_assets.examples.signs.registry import find_signs
from flywheel_assets.examples.signs.sign import Tried
from flywheel_assets.examples.work import Flags, few, latest

LAID_OUT = Path(__file__).parent / "found.sql"
# Attributes that list the tools an agent or a model may use. `found.sql` looks for 'tool' first.
OFFERS = r"(^|[._])(tools_names|tool_names|available_tools|tool\.definitions|tools)([._]|$)"
# Tools that only hand in an answer, by what frameworks call them.
ENDING = (
    r"(final_?answer|submit(_answer|_result)?|finish(ed)?|attempt_completion|complete(_task)?|task_complete|done|exit)"
    r"(_?tool)?"
)
NEVER = np.iinfo(np.int64).max


def tried(con: duckdb.DuckDBPyConnection, spans: Failed) -> Tried:
    """What signs look at in the spans, whose content is in `raw_spans` on `con`."""
    tools, calls, runs = spans.rows["tool_name"].to_pylist(), np.flatnonzero(spans.llm), spans.runs
    ending = {name for name in set(tools) if name is not None and re.fullmatch(ENDING, name.lower())}
    ends = spans.tool & np.array([name in ending for name in tools])
    used = spans.tool & ~ends
    worked, ended = np.full(runs, NEVER), np.full(runs, -1)
    np.minimum.at(worked, spans.run[used & ~spans.erred], spans.end[used & ~spans.erred])
    np.maximum.at(ended, spans.run[ends], spans.start[ends])
    calls = calls[(spans.start[calls] <= ended[spans.run[calls]]) | (ended[spans.run[calls]] < 0)]
    handing_in = calls[latest(spans.run[calls], spans.start[calls], spans.rows["span_id"].take(pa.array(calls)))]
    unused = np.bincount(spans.run[used], minlength=runs) == 0
    unseen = unused.copy()
    unseen[spans.run[handing_in]] |= worked[spans.run[handing_in]] > spans.start[handing_in]
    seen = _seen(con, spans, unseen[spans.run])
    offered = np.zeros(runs, np.bool_)
    offered[spans.run[[place for place, offers in seen.pop("offers").items() if offers]]] = True
    return Tried(
        spans=spans,
        error_type=spans.rows["error_type"].to_pylist(),
        tool_name=tools,
        offered=offered[spans.run],
        unused=unused[spans.run],
        worked=worked[spans.run],
        handing_in=handing_in,
        kind=seen.pop("kind"),
        seen=seen,
    )


def _seen(con: duckdb.DuckDBPyConnection, spans: Failed, idle: Flags) -> dict[str, dict[int, Any]]:
    """What `found.sql` finds in the spans' content, by name and place."""
    looks = ", ".join(f"{sql} AS {name}" for sign in find_signs() for name, sql in sign.looks.items())
    laid_out = LAID_OUT.read_text().replace("{offers}", OFFERS).replace("{ending}", ENDING).replace("{looks}", looks)
    known = spans.rows.select(["trace_id", "span_id", "role", "error_type"])
    added = {"place": np.arange(len(known)), "erred": spans.erred, "again": _again(spans), "idle": idle}
    con.register("tried", pa.table({**{name: known[name] for name in known.column_names}, **added}))
    found = pa.concat_tables([_found(con, laid_out, spans.rows, day) for day in pc.unique(spans.rows["span_day"])])
    found = found.take(pc.sort_indices(found["place"]))
    return {name: _known(found["place"], found[name]) for name in found.column_names if name != "place"}


def _found(con: duckdb.DuckDBPyConnection, laid_out: str, spans: pa.Table, day: pa.Scalar) -> pa.Table:
    # Of the next day's spans few are these runs'.
    traces = pc.unique(spans.filter(pc.equal(spans["span_day"], day))["trace_id"])
    return con.execute(laid_out.replace("{day}", str(day)), {"few": few(traces)}).to_arrow_table()


def _known(place: pa.ChunkedArray, values: pa.ChunkedArray) -> dict[int, Any]:
    known = pc.is_valid(values)
    return dict(zip(place.filter(known).to_pylist(), values.filter(known).to_pylist(), strict=True))


def _again(spans: Failed) -> Flags:
    """Calls of tools that their runs called more than once."""
    named = spans.tool & pc.is_valid(spans.rows["tool_name"]).to_numpy()
    _, which, counts = np.unique(spans.by_tool(), return_inverse=True, return_counts=True)
    return named & (counts[which] > 1)
