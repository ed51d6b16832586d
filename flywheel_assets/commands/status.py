"""`flywheel status`: what is in each stage, what is stale, what is on trial, what to do next."""

from datetime import date
from typing import Any

from rich.table import Table as Grid

from flywheel_assets.commands.envelope import Answer
from flywheel_assets.commands.skills import read_skills
from flywheel_assets.decisions.rollout import SkillState, rollout
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.lake.stale import stale_days
from flywheel_assets.snapshots.support import support_in
from flywheel_assets.tables.catalogue import TABLES
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.steps import DAY_STEPS


def status(places: Places) -> Answer:
    """The wheel at a glance, from the lake alone."""
    lake = Lake(places.lake)
    stale = {step.name: stale_days(lake, step) for step in DAY_STEPS}
    behind = {table.name: stale[step.name] for step in DAY_STEPS for table in step.writes}
    tables = [_table(lake, table.name, behind.get(table.name, [])) for table in TABLES]
    states = rollout(lake.read(PROMOTION_DECISIONS), read_skills(places))
    supported = {row["skill"]: row for row in support_in(lake)}
    skills = [_skill(state, supported.get(state.skill)) for state in states.values()]
    waiting = sum(1 for path in places.inbox.rglob("*") if path.is_file()) if places.inbox.exists() else 0
    result = {"data": places.data, "inbox_files": waiting, "tables": tables, "skills": skills}
    unproven = [f"{row['skill']}: {row['support']}" for row in skills if row["standing"] == "unproven"]
    shown = [_grid(tables), *([_trials(skills)] if skills else [])]
    return Answer(result, shown, [*unproven, *_next(places, tables, waiting, skills)])


def _table(lake: Lake, name: str, stale: list[date]) -> dict[str, object]:
    table = next(table for table in TABLES if table.name == name)
    opened = lake.open(table)
    days = lake.days(table) if table.by_day else []
    return {
        "stage": table.stage,
        "table": name,
        "rows": 0 if opened is None else opened.count(),
        "last_day": days[-1] if days else None,
        "stale_days": stale,
    }


def _skill(state: SkillState, supported: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "skill": state.skill,
        "production": state.production_arm,
        "baseline": state.baseline_arm,
        "promotions": len(state.promotions),
        "standing": supported["standing"] if supported else None,
        "support": supported["reason"] if supported else None,
        "on_trial": [
            {
                "arm": one.registration.candidate_arm,
                "experiment": one.registration.experiment_id,
                "state": type(one).__name__.lower(),
            }
            for one in state.on_trial
        ],
    }


def _grid(tables: list[dict[str, object]]) -> Grid:
    grid = Grid("stage", "table", "rows", "last day", "stale days", box=None)
    for row in tables:
        stale = row["stale_days"]
        count = len(stale) if isinstance(stale, list) else 0
        grid.add_row(
            str(row["stage"]), str(row["table"]), str(row["rows"]), str(row["last_day"] or ""), str(count or "")
        )
    return grid


def _trials(skills: list[dict[str, Any]]) -> Grid:
    grid = Grid("skill", "in production", "promotions", "standing", "on trial", box=None)
    for row in skills:
        on_trial = ", ".join(one["arm"] for one in row["on_trial"])
        shown = (row["skill"], row["production"], row["promotions"], row["standing"], on_trial)
        grid.add_row(*(str(one or "–") for one in shown))
    return grid


def _next(places: Places, tables: list[dict[str, object]], waiting: int, skills: list[dict[str, Any]]) -> list[str]:
    if not places.skills_file.exists():
        return [f"state your skills in {places.skills_file}: without them nothing is proposed"]
    if waiting or any(row["stale_days"] for row in tables):
        return ["flywheel run   turns the wheel over what is new"]
    if not any(row["rows"] for row in tables):
        return ["flywheel ingest PATH   brings recorded spans in", "flywheel up   receives them from your agents"]
    if any(row["on_trial"] for row in skills):
        return ["flywheel decisions list   shows how the open trials stand"]
    return []
