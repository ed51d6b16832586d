"""The report: one HTML page that needs no network, drawn from a snapshot alone."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from flywheel_assets.lake.session import reading
from flywheel_assets.snapshots.plots.days import days_plot
from flywheel_assets.snapshots.plots.frontier import frontier_plot, money
from flywheel_assets.snapshots.plots.gates import gates_plot
from flywheel_assets.snapshots.plots.leaderboard import leaderboard_plot, short
from flywheel_assets.snapshots.plots.levels import levels_plot
from flywheel_assets.snapshots.plots.lift import lift_plot
from flywheel_assets.snapshots.plots.svg import percent
from flywheel_assets.snapshots.plots.timeline import timeline_plot
from flywheel_assets.snapshots.plots.trial import trial_plot
from flywheel_assets.snapshots.slope import slope

HERE = Path(__file__).parent
QUESTIONS = HERE / "questions"
WIDE, NARROW = 720, 340
# A page with every skill and trial of a large fleet would not be looked at.
SKILLS, TRIALS = 24, 12

Row = dict[str, Any]


def write_report(snapshot: Path, out: Path, at: datetime) -> Path:
    """Draw the page for the snapshot at `out` (replaced whole); `at` is the time that it states."""
    con = reading(snapshot)
    try:
        page = _page(con, snapshot, at)
    finally:
        con.close()
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.part")
    beside.write_text(page, encoding="utf-8")
    return beside.replace(out)


def _page(con: duckdb.DuckDBPyConnection, snapshot: Path, at: datetime) -> str:
    con.execute("SET TimeZone = 'UTC'")
    momentum = _ask(con, "SELECT * FROM momentum ORDER BY skill, block")
    ledger = _ask(con, "SELECT * FROM promotion_decisions ORDER BY skill, experiment_id, seq")
    gates = _ask(con, "FROM funnel ORDER BY step, runs DESC, state, reason")
    days = _ask(con, (QUESTIONS / "days.sql").read_text(encoding="utf-8"))[::-1]
    whole = [row for row in momentum if row["skill"] == "*"]
    grows = slope(con.sql("SELECT * FROM momentum").to_arrow_table())
    return _template().render(
        at=at,
        snapshot=snapshot.name,
        headline=_ask(con, (QUESTIONS / "headline.sql").read_text(encoding="utf-8"))[0],
        lift=whole[-1] if whole else None,
        slope=asdict(grows) if grows else None,
        lift_plots=[lift_plot(whole, width) for width in (WIDE, NARROW)],
        levels_plots=[levels_plot(whole, width) for width in (WIDE, NARROW)],
        skills_momentum=[rows[-1] for skill, rows in _by(momentum, "skill").items() if skill != "*"][:SKILLS],
        promotions=_ask(con, (QUESTIONS / "promotions.sql").read_text(encoding="utf-8")),
        timeline_plots=[timeline_plot(ledger, width) for width in (WIDE, NARROW)],
        trials=_trials(ledger),
        leaderboards=_plots(_ask(con, "FROM skill_leaderboard"), leaderboard_plot),
        frontiers=_plots(_ask(con, "FROM cost_of_quality"), frontier_plot),
        gates_plots=[gates_plot(gates, width) for width in (WIDE, NARROW)],
        rejections=_ask(con, "FROM rejections_by_reason LIMIT 12"),
        days_plots=[days_plot(days, width) for width in (WIDE, NARROW)],
        outlook=_ask(con, (QUESTIONS / "outlook.sql").read_text(encoding="utf-8")),
        drift=_ask(con, "FROM drift WHERE standing IN ('up', 'down') ORDER BY since DESC, kind, skill, name LIMIT 12"),
        drills=_ask(con, (QUESTIONS / "drills.sql").read_text(encoding="utf-8")),
        manifest=_ask(con, "FROM snapshot_manifest"),
    )


def _ask(con: duckdb.DuckDBPyConnection, question: str) -> list[Row]:
    return con.sql(question).to_arrow_table().to_pylist()


def _by(rows: list[Row], name: str) -> dict[str, list[Row]]:
    return {key: list(group) for key, group in groupby(rows, key=lambda row: row[name])}


def _plots(rows: list[Row], plot: Callable[[list[Row]], str]) -> list[Row]:
    """One picture a skill, in the order of the rows."""
    return [{"skill": skill, "plot": plot(arms)} for skill, arms in list(_by(rows, "skill").items())[:SKILLS]]


def _trials(ledger: list[Row]) -> list[Row]:
    """The newest trials, each with its last entry and the picture of its looks."""
    found: list[Row] = [
        {"last": looks[-1], "plot": trial_plot(looks)} for looks in _by(ledger, "experiment_id").values()
    ]
    return sorted(found, key=lambda trial: -trial["last"]["seq"])[:TRIALS]


@cache
def _template() -> Template:
    surroundings = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    surroundings.filters |= {"short": short, "percent": percent, "money": money}
    return surroundings.get_template("report.html.jinja")
