"""Findings: which kinds of error the spans of failed runs show, who says so, and how likely it is."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from flywheel_assets.examples.named import Named, Reference, probabilities
from flywheel_assets.examples.signs.registry import find_signs
from flywheel_assets.examples.signs.sign import KINDS
from flywheel_assets.tables.span_findings import SPAN_FINDINGS

HERE = Path(__file__).parent
# Attributes that list the tools an agent or a model may use.
OFFERS = r"(^|[._])(tools_names|tool_names|available_tools|tool\.definitions|tools)([._]|$)"
# Tools that only hand in an answer, by what frameworks call them.
ENDING = (
    r"(final_?answer|submit(_answer|_result)?|finish(ed)?|attempt_completion|complete(_task)?|task_complete|done|exit)"
    r"(_?tool)?"
)
# How often people mark the same, about: signs on recorded traces (docs/labels.md), and one person's word.
SIGN, PERSON = 0.25, 0.9

Row = dict[str, Any]


def findings(con: duckdb.DuckDBPyConnection, day: date) -> pa.Table:
    """`span_findings` from the views `examples` (of the day) and `work` (its runs' spans), `raw_spans`, `feedback`."""
    if not con.execute("SELECT 1 FROM examples WHERE grain = 'run' AND outcome < 0.5 LIMIT 1").fetchall():
        return SPAN_FINDINGS.empty()
    laid_out = (HERE / "found.sql").read_text().replace("{offers}", OFFERS).replace("{ending}", ENDING)
    con.execute(laid_out.replace("{day}", day.isoformat()))
    signs = " UNION ALL BY NAME ".join(
        f"SELECT *, '{sign.name}' AS author_id, '{sign.version}' AS author_version FROM ({sign.sql})"
        for sign in find_signs()
    )
    shown = con.execute(
        f"""SELECT DISTINCT run_id, skill, trace_id, span_id, f.kind, 'heuristic' AS tier, author_id, author_version,
            evidence
        FROM ({signs}) f JOIN (SELECT DISTINCT run_id, skill FROM tried) USING (run_id)"""
    ).to_arrow_table()
    said = con.execute((HERE / "said_of_spans.sql").read_text(), {"kinds": list(KINDS)}).to_arrow_table().to_pylist()
    rows = [*shown.to_pylist(), *({**row, "kind": row["name"]} for row in said if row["names"])]
    rows.sort(key=lambda row: (*_item(row), row["author_id"]))
    chance = _chances(rows, said)
    kept = [name for name in SPAN_FINDINGS.schema.names if name not in ("day", "probability")]
    told = ({name: row[name] for name in kept} | {"day": day, "probability": chance[_item(row)]} for row in rows)
    return SPAN_FINDINGS.conform(SPAN_FINDINGS.rows(list(told)))


def _item(row: Row) -> tuple[str, ...]:
    return row["run_id"], row["trace_id"], row["span_id"], row["kind"]


def _chances(rows: Sequence[Row], said: Sequence[Row]) -> dict[tuple[str, ...], float]:
    """By item: signs and people as stated, judges as far as these bear them out."""
    items = {item: number for number, item in enumerate(dict.fromkeys(map(_item, rows)))}
    runs = {run: number for number, run in enumerate(dict.fromkeys(item[0] for item in items))}
    judges = {row["author_id"]: 0 for row in said if row["tier"] == "judge"}
    judges = {author: number for number, author in enumerate(sorted(judges))}
    by_tier = {tier: np.zeros(len(items), bool) for tier in ("heuristic", "human")}
    names, answered = np.zeros((len(judges), len(items)), bool), np.zeros((len(judges), len(runs)), bool)
    looked = np.zeros(len(runs), bool)
    for row in rows:
        if row["tier"] == "judge":
            names[judges[row["author_id"]], items[_item(row)]] = True
        else:
            by_tier[row["tier"]][items[_item(row)]] = True
    for row in said:
        run = runs.get(row["run_id"])
        if run is not None and row["tier"] == "judge":
            answered[judges[row["author_id"]], run] = True
        elif run is not None:
            looked[run] |= row["names"]
    named = Named(names, answered, np.array([runs[item[0]] for item in items], np.int64))
    by_judges = probabilities(named, Reference(by_tier["human"], looked, by_tier["heuristic"]))
    wrong = (1 - by_judges) * (1 - SIGN * by_tier["heuristic"]) * (1 - PERSON * by_tier["human"])
    return dict(zip(items, np.round(1 - wrong, 12).tolist(), strict=True))
