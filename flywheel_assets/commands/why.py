"""`flywheel why` and `flywheel used-by`: lineage from an artifact to its spans, and from a span to decisions."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from rich.table import Table as Grid
from rich.text import Text

from flywheel_assets.commands.envelope import NOT_FOUND, Answer, RefusedError
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.snapshots.live import rows_of_each
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.gated_observations import REJECTIONS
from flywheel_assets.tables.promoted_artifacts import PROMOTED_PROMPTS, PROMOTED_ROUTING
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.run_spans import RUN_SPANS
from flywheel_assets.tables.span_credit import SPAN_CREDIT
from flywheel_assets.tables.span_findings import SPAN_FINDINGS

SQL = Path(__file__).parent
SHOWN = 5

Row = dict[str, Any]


def why(places: Places, what: str) -> Answer:
    """The newest promotion behind an artifact, prompt version, arm, experiment, entry or skill."""
    con = Lake(places.lake).connect(
        [
            PROMOTION_DECISIONS,
            DECISION_ARGUMENTS,
            PROMOTED_ROUTING,
            PROMOTED_PROMPTS,
            AGENT_RUNS,
            RUN_SPANS,
            SPAN_CREDIT,
            SPAN_FINDINGS,
        ]
    )
    entries = _rows(con, "why_entries.sql", what=what)
    if not entries:
        raise RefusedError(
            f"the ledger says nothing of {what!r}",
            ["flywheel decisions list   shows the skills, experiments and entries there are"],
            NOT_FOUND,
        )
    entry = entries[0]
    arguments = _rows(con, "why_arguments.sql", entry=entry["entry_id"], most=SHOWN)
    blamed = {row["run_id"]: row for row in _blamed(con, [row["run_id"] for row in arguments], 1)}
    arguments = [{**row, "blamed": blamed.get(row["run_id"])} for row in arguments]
    entry["criteria"] = json.loads(str(entry.pop("criteria_json")))
    robust = _robustness(places, entry)
    earlier = [row["entry_id"] for row in entries[1:]]
    result = {"entry": entry, "arguments": arguments, "robustness": robust, "earlier": earlier}
    return Answer(result, [_headline(entry), *bound(robust), _grid(arguments)], _next(entry, arguments))


def used_by(places: Places, span: str) -> Answer:
    """The run of a span '<trace id>:<span id>', what became of it, and every decision it argued in."""
    trace, _, span_id = span.partition(":")
    lake = Lake(places.lake)
    spans = _rows(lake.connect([RUN_SPANS]), "used_by_spans.sql", trace=trace, span=span_id)
    # The day is known now: of other days' runs no file is read.
    days = {table.name: [row["day"] for row in spans] for table in (AGENT_RUNS, REJECTIONS, SPAN_CREDIT, SPAN_FINDINGS)}
    con = lake.connect(
        [AGENT_RUNS, REJECTIONS, SPAN_CREDIT, SPAN_FINDINGS, DECISION_ARGUMENTS, PROMOTION_DECISIONS], days
    )
    runs = [{**run, "role": row["role"]} for row in spans for run in _rows(con, "used_by_runs.sql", run=row["run_id"])]
    if not runs:
        raise RefusedError(
            f"no span {span!r} was folded into a run",
            ["write it as TRACE:SPAN, in hex", "flywheel status   shows whether days are stale"],
            NOT_FOUND,
        )
    decisions = _rows(con, "used_by_decisions.sql", run=runs[0]["run_id"])
    blamed = _blamed(con, [runs[0]["run_id"]], SHOWN, span)
    grid = Grid("entry", "skill", "kind", "side", "outcome", "weight", box=None)
    for row in decisions:
        grid.add_row(*(_short(row[name]) for name in ("entry_id", "skill", "kind", "side", "outcome", "weight")))
    run = runs[0]
    fate = f"rejected by {run['gate']}: {run['reason']}" if run["gate"] else "not rejected"
    head = Text(f"run {run['run_id']} · skill {run['skill']} · arm {run['arm']} · role {run['role']} · {fate}")
    told = [_told(row, asked=row["span"] == span) for row in blamed]
    return Answer(
        {"run": run, "blame": blamed, "decisions": decisions},
        [head, *told, grid if decisions else Text("It argued in no decision.")],
    )


def _robustness(places: Places, entry: Row) -> Row | None:
    """How many principals the promotion can lose; of what is no promotion there is nothing to say."""
    if entry["kind"] != "promoted":
        return None
    # The days of the evidence are known: of other days' runs no file is read.
    days = {AGENT_RUNS.name: [date.fromisoformat(day) for day in entry["evidence_days"]]}
    tables = [PROMOTION_DECISIONS, DECISION_ARGUMENTS, AGENT_RUNS]
    found = rows_of_each(Lake(places.lake), ["decision_principals", "decision_robustness"], tables, days)[-1]
    return next((row for row in found if row["entry_id"] == entry["entry_id"]), None)


def bound(robust: Row | None) -> list[Text]:
    """How many principals the evidence can lose, in words; nothing where that is not known."""
    if robust is None:
        return []
    if robust["principals"] == 1:
        return [Text("evidence of one principal alone: nothing is left without it\n")]
    return [
        Text(
            f"evidence of {robust['principals']} principals: enough without any {robust['any_removed']} of them, "
            f"and at most without {robust['most_removed']}\n"
        )
    ]


def _blamed(con: duckdb.DuckDBPyConnection, runs: list[str], most: int, span: str = "") -> list[Row]:
    return _rows(con, "blamed.sql", runs=runs, most=most, span=span)


def _told(row: Row, *, asked: bool) -> Text:
    """A span's share of its run's failure, in words."""
    which = "this span" if asked else f"{row['role']} {row['name']} {row['span']}"
    shows = f"; shows {', '.join(row['kinds'])} ({row['evidence']})" if row["kinds"] else ""
    return Text(f"failed here with probability {row['blame']:.2f}: {which} ({row['reason']}){shows}")


def _rows(con: duckdb.DuckDBPyConnection, name: str, **values: object) -> list[Row]:
    found = con.execute((SQL / name).read_text(), values)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _headline(entry: Row) -> Text:
    estimate = (
        f"difference {_short(entry['estimate'])} [{_short(entry['lower'])}, {_short(entry['upper'])}], "
        f"e-value {_short(entry['e_value'])} at alpha {_short(entry['alpha'])}"
        if entry["estimate"] is not None
        else "no estimate yet"
    )
    return Text(
        f"{entry['skill']}: {entry['candidate_arm']} against {entry['incumbent_arm']} — {entry['kind']} "
        f"at {entry['decided_at']}\n{entry['reason']}\n{estimate}; "
        f"{entry['candidate_units']} and {entry['incumbent_units']} units\n"
    )


def _grid(arguments: list[Row]) -> Grid:
    grid = Grid("", "run", "side", "outcome", "weight", "root span", "spans", "went wrong in", box=None)
    for row in arguments:
        sign = "for" if float(str(row["weight"])) > 0 else "against"
        cells = (_short(row[name]) for name in ("run_id", "side", "outcome", "weight", "span", "spans"))
        grid.add_row(sign, *cells, _where(row["blamed"]))
    return grid


def _where(blamed: Row | None) -> str:
    """The span with most of the blame, and what it shows."""
    return f"{blamed['name']}: {', '.join(blamed['kinds']) or blamed['reason']}" if blamed else ""


def _next(entry: Row, arguments: list[Row]) -> list[str]:
    actions = [f"flywheel decisions replay {entry['entry_id']}   derives the verdict again"]
    if arguments:
        actions.append(f"flywheel used-by {arguments[0]['span']}   shows everything that span touched")
    return actions


def _short(value: object) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
