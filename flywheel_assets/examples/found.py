"""Findings: which kinds of error the spans of failed runs show, who says so, and how likely it is."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from flywheel_assets.examples.failed import Failed
from flywheel_assets.examples.named import Named, Reference, probabilities
from flywheel_assets.examples.signs.registry import find_signs
from flywheel_assets.examples.signs.sign import KINDS, Tried
from flywheel_assets.examples.tried import tried
from flywheel_assets.tables.span_findings import SPAN_FINDINGS

HERE = Path(__file__).parent
# How often people mark the same, about: signs on recorded traces (docs/labels.md), and one person's word.
SIGN, PERSON = 0.25, 0.9

Row = dict[str, Any]


def findings(con: duckdb.DuckDBPyConnection, spans: Failed, runs: pa.Table, day: date) -> pa.Table:
    """`span_findings` of the day's failed runs from their spans, `agent_runs`, and what is on `con`."""
    if not len(spans.run):
        return SPAN_FINDINGS.empty()
    skill = runs["skill"].take(pa.array(spans.run))
    names = spans.rows.select(["run_id", "trace_id", "span_id"]).append_column("skill", skill)
    shown, said = _shown(tried(con, spans)), _said(con, names)
    names = names.take(pa.array([row.pop("place") for row in shown], pa.int64()))
    rows = [{**name, **row} for name, row in zip(names.to_pylist(), shown, strict=True)]
    rows += [{**row, "kind": row["name"]} for row in said if row["names"]]
    for row in rows:
        row["item"] = row["run_id"], row["trace_id"], row["span_id"], row["kind"]
    rows.sort(key=lambda row: (row["item"], row["author_id"]))
    chance = _chances(rows, said)
    kept = [name for name in SPAN_FINDINGS.schema.names if name not in ("day", "probability")]
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in kept}
    columns["probability"] = [chance[row["item"]] for row in rows]
    columns["day"] = [day] * len(rows)
    return SPAN_FINDINGS.conform(pa.table(columns, SPAN_FINDINGS.schema))


def _shown(tried: Tried) -> list[Row]:
    """What signs show, each thing once."""
    return [
        {
            "place": place,
            "kind": kind,
            "tier": "heuristic",
            "author_id": sign.name,
            "author_version": sign.version,
            "evidence": evidence,
        }
        for sign in find_signs()
        for place, kind, evidence in dict.fromkeys(sign.find(tried))
    ]


def _said(con: duckdb.DuckDBPyConnection, names: pa.Table) -> list[Row]:
    """What judges and people said of the spans and their runs."""
    if not con.execute("SELECT 1 FROM feedback WHERE tier IN ('judge', 'human') LIMIT 1").fetchall():
        return []
    con.register("named_spans", names)
    return con.execute((HERE / "said_of_spans.sql").read_text(), {"kinds": list(KINDS)}).to_arrow_table().to_pylist()


def _chances(rows: Sequence[Row], said: Sequence[Row]) -> dict[tuple[str, ...], float]:
    """By item: signs and people as stated, judges as far as these bear them out."""
    items = {item: number for number, item in enumerate(dict.fromkeys(row["item"] for row in rows))}
    runs = {run: number for number, run in enumerate(dict.fromkeys(item[0] for item in items))}
    judges = {row["author_id"]: 0 for row in said if row["tier"] == "judge"}
    judges = {author: number for number, author in enumerate(sorted(judges))}
    by_tier = {tier: np.zeros(len(items), bool) for tier in ("heuristic", "human")}
    names, answered = np.zeros((len(judges), len(items)), bool), np.zeros((len(judges), len(runs)), bool)
    looked = np.zeros(len(runs), bool)
    for row in rows:
        if row["tier"] == "judge":
            names[judges[row["author_id"]], items[row["item"]]] = True
        else:
            by_tier[row["tier"]][items[row["item"]]] = True
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
