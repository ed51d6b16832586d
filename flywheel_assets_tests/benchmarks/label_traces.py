"""Traces in which people marked where it went wrong and how: what the wheel says of them without a model."""

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flywheel_assets.examples.collect import collect_feedback
from flywheel_assets.examples.label import label
from flywheel_assets.lake.session import connection
from flywheel_assets.runs.fold import fold_runs
from flywheel_assets.spans.decode import decode_day
from flywheel_assets.tables.anchored_opinions import ANCHORED_OPINIONS
from flywheel_assets.tables.statements import LABEL_SETTINGS

Row = dict[str, Any]
# Trace, span, category.
Marked = tuple[str, str, str]
Numbers = NDArray[np.float64]
CUTS = np.round(np.arange(0.02, 0.98, 0.02), 2)
# How many spans with the same signs outweigh those with fewer in common.
DRAWN = 8.0
SECOND_CALL = "Instruction Non-compliance"


@dataclass(frozen=True, slots=True)
class Score:
    """Found, marked by people, and both; all traces together."""

    found: int
    marked: int
    both: int

    @classmethod
    def of(cls, found: Iterable[object], marked: Iterable[object]) -> "Score":
        ours, theirs = set(found), set(marked)
        return cls(len(ours), len(theirs), len(ours & theirs))

    @property
    def precision(self) -> float:
        return self.both / max(self.found, 1)

    @property
    def recall(self) -> float:
        return self.both / max(self.marked, 1)

    @property
    def f1(self) -> float:
        return 2 * self.both / max(self.found + self.marked, 1)


def read_traces(folder: Path) -> dict[str, bytes]:
    return {file.name: gzip.decompress(file.read_bytes()) for file in sorted((folder / "otlp").iterdir())}


def read_marked(folder: Path) -> set[Marked]:
    """What people marked in the end: superseded annotations are not asked."""
    rows = pd.read_csv(folder / "errors.csv").query("version == 'final'")
    return {(row.trace_id, row.location, row.category) for row in rows.itertuples()}


def sources(folder: Path) -> dict[str, str]:
    """By trace, the collection that it is of."""
    files = (pd.read_parquet(folder / "spans.parquet"), pd.read_csv(folder / "errors.csv"))
    return {row.trace_id: row.source for rows in files for row in rows[["trace_id", "source"]].itertuples()}


def blamed(payloads: dict[str, bytes]) -> tuple[list[Row], list[Row]]:
    """`span_credit` and `span_findings` of runs of which it is only told that they failed, from recorded OTLP/JSON."""
    batches = [SimpleNamespace(batch_id=name, format="json", payload=payload) for name, payload in payloads.items()]
    each = [_blamed_on(batches, day) for day in sorted(_days(payloads.values()))]
    blame, findings = ([row for rows in some for row in rows] for some in zip(*each, strict=True))
    return [row for row in blame if row["span_id"] != "-"], findings


def _days(payloads: Iterable[bytes]) -> set[date]:
    return {
        datetime.fromtimestamp(int(span["startTimeUnixNano"]) / 1e9, UTC).date()
        for payload in payloads
        for resource in json.loads(payload)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    }


def _blamed_on(batches: list[SimpleNamespace], day: date) -> tuple[list[Row], list[Row]]:
    con = connection()
    con.register("raw_spans", decode_day(batches, day).rows.read_all())
    runs, run_spans = fold_runs(con, day)
    at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)
    body = "\n".join(json.dumps(_failed(run, at)) for run in runs.column("run_id").to_pylist()).encode()
    con.register("agent_runs", runs)
    con.register("run_spans", run_spans)
    con.register("feedback", collect_feedback(con, day, [body])[0])
    con.register("label_settings", LABEL_SETTINGS.empty())
    con.register("anchored_opinions", ANCHORED_OPINIONS.empty())
    _, _, _, credit, found, _ = label(con, day)
    return credit.to_pylist(), found.to_pylist()


def _failed(run: str, at: datetime) -> Row:
    told = {"target_kind": "run", "target_id": run, "name": "worked", "value": 0.0}
    return {**told, "author_id": "told", "tier": "check", "observed_at": at.isoformat()}


def signs(row: Row) -> tuple[str, ...]:
    """What of a blamed span may tell the kind of error: the kind of agent and of work, its place, what was seen."""
    seen = "error" if "an error began here" in row["reason"] else "-"
    return (str(row["skill"]), row["role"], seen, str(min(row["place"], 8)))


def told_by_others(rows: list[Row], marked: set[Marked]) -> set[Marked]:
    """(span, category) pairs; what a sign means, and from where on to speak, is learned on all other traces."""
    kinds = sorted({category for _, _, category in marked})
    traces = np.array([row["trace_id"] for row in rows])
    truth = np.array([[(row["trace_id"], row["span_id"], kind) in marked for kind in kinds] for row in rows], float)
    found: set[Marked] = set()
    for trace in np.unique(traces):
        mine = traces == trace
        chance = _rates(rows, truth, ~mine)
        cut = _best_cut(chance[~mine], truth[~mine] > 0, sum(one[0] != trace for one in marked))
        for number in np.flatnonzero(mine):
            found |= {(trace, rows[number]["span_id"], kinds[kind]) for kind in np.flatnonzero(chance[number] >= cut)}
    return found


def _rates(rows: list[Row], truth: Numbers, known: NDArray[np.bool_]) -> Numbers:
    """How often each kind was marked on spans with the same signs, drawn to those with fewer signs in common."""
    rate = np.tile(truth[known].mean(axis=0), (len(rows), 1))
    for depth in range(1, len(signs(rows[0])) + 1):
        cell = pd.factorize(pd.Series([signs(row)[:depth] for row in rows]))[0]
        hits = np.zeros((cell.max() + 1, truth.shape[1]))
        np.add.at(hits, cell[known], truth[known])
        seen = np.bincount(cell[known], minlength=len(hits))[:, None]
        rate = (hits[cell] + DRAWN * rate) / (seen[cell] + DRAWN)
    return rate


def cut_on_others(traces: list[str], chance: Numbers, truth: NDArray[np.bool_], marked: int) -> NDArray[np.bool_]:
    """What is likely enough: by trace, from the cut on that serves the other traces best."""
    each, chosen = np.array(traces), np.zeros(len(traces), np.bool_)
    for trace in np.unique(each):
        mine = each == trace
        share = marked * (1 - mine.mean())
        chosen[mine] = chance[mine] >= _best_cut(chance[~mine], truth[~mine], share)
    return chosen


def _best_cut(chance: Numbers, truth: NDArray[np.bool_], marked: float) -> float:
    return float(max(CUTS, key=lambda cut: 2 * truth[chance >= cut].sum() / ((chance >= cut).sum() + marked)))


def second_call(rows: list[Row]) -> set[Marked]:
    """The reference: the second model call of each trace, and always the same kind of error."""
    calls = pd.DataFrame([row for row in rows if row["role"] == "llm"]).sort_values(["trace_id", "place"])
    second = calls[calls.groupby("trace_id").cumcount() == 1]
    return {(row.trace_id, row.span_id, SECOND_CALL) for row in second.itertuples()}
