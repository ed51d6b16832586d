"""What only the attributes hold: what runs were asked and answered, the context they had, their tools."""

import duckdb
import numpy as np
import pyarrow as pa

from flywheel_assets.runs.content import answered, asked
from flywheel_assets.runs.grouped import either
from flywheel_assets.runs.script import prepare
from flywheel_assets.runs.sums import Parts, chosen
from flywheel_assets.runs.tree import Index

# Whole conversations come in each row; only their last words stay.
ROWS_AT_ONCE = 10_000
TEXTS_AT_ONCE = 2000
READ = {"input_text": asked, "output_text": answered}
REST = pa.schema([("context_json", pa.string()), ("flywheel_skill", pa.bool_()), ("tool_schema_hash", pa.string())])


def content(con: duckdb.DuckDBPyConnection, parts: Parts) -> dict[str, pa.ChunkedArray]:
    """What the attributes of chosen spans hold, one entry per run; readable texts in place of raw messages."""
    texts: dict[str, list[str | None]] = {name: [None] * len(parts.runs.root) for name in READ}
    rest = [pa.schema([("run", pa.int64()), *REST]).empty_table()]
    query = prepare(con, "content", {"wanted": _wanted(parts)})
    for batch in con.execute(query).to_arrow_reader(ROWS_AT_ONCE):
        runs = batch.column("run").to_pylist()
        for name, read in READ.items():
            for run, raw in zip(runs, batch.column(name).to_pylist(), strict=True):
                if raw is not None:
                    texts[name][run] = read(raw)
        rest.append(pa.table(batch.drop_columns(list(READ))))
    found = pa.concat_tables(rest, promote_options="permissive")
    return {name: _array(said) for name, said in texts.items()} | {
        name: _by_run(found[name], found["run"].to_numpy(), len(parts.runs.root)) for name in REST.names
    }


def _array(texts: list[str | None]) -> pa.ChunkedArray:
    """In pieces: one of all would be copied each time that it outgrows its memory."""
    pieces = (texts[start : start + TEXTS_AT_ONCE] for start in range(0, len(texts), TEXTS_AT_ONCE))
    return pa.chunked_array(pieces, pa.string())


def _by_run(found: pa.ChunkedArray, run: Index, runs: int) -> pa.ChunkedArray:
    rows = np.flatnonzero(found.is_valid().to_numpy())
    row = np.full(runs, -1)
    row[run[rows]] = rows
    return found.take(pa.array(row, mask=row < 0))


def _wanted(parts: Parts) -> pa.Table:
    """The few spans per run that are asked for something, and for what."""
    runs, near = parts.runs, parts.runs.spans
    tells = parts.root | parts.model
    spots = {
        "input": runs.foremost(near.known("input_key") & tells),
        "output": either(runs.at_root(near.known("output_key") & tells), runs.latest(near.known("output_key") & tells)),
        "chosen": chosen(parts),
        "skill": runs.foremost(near.known("skill_name") & parts.said),
        "tools": either(runs.earliest(parts.call), runs.root),
    }
    number, asked_for = np.full(len(near), -1), {}
    for what, spans in spots.items():
        found = spans >= 0
        number[spans[found]] = np.flatnonzero(found)
        asked_for[what] = np.zeros(len(near), np.bool_)
        asked_for[what][spans[found]] = True
    wanted = np.flatnonzero(number >= 0)
    table = near.select(["day", "trace_id", "span_id"], wanted).append_column("run", pa.array(number[wanted]))
    for what, flags in asked_for.items():
        table = table.append_column(what, pa.array(flags[wanted]))
    return table
