"""`flywheel replay FILE`: drive the wheel over a recorded matrix, and write what came of it."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from flywheel_assets.commands.envelope import Answer, RefusedError
from flywheel_assets.replay.cascading import Rules
from flywheel_assets.replay.contextual import Settings
from flywheel_assets.replay.doors import Plan
from flywheel_assets.replay.matrix import Matrix, Reading, read
from flywheel_assets.replay.page import page, said
from flywheel_assets.replay.study import study_cascade, study_contextual, study_trials
from flywheel_assets.replay.study_doors import study_doors
from flywheel_assets.tables.documents.skills_file import Skill

MODES = ("contextual", "trials", "cascade", "doors")
# Where nothing is said: through the doors, every run is spans and every turn is Dagster's.
RUNS, SEEDS = {"doors": 1200}, {"doors": 1}
# Mean cost allowed, between the cheapest arm's and the dearest's, where none is said.
BUDGETS = (0.2, 0.5)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for. `mode` may be empty: it then follows from what the file has."""

    path: Path
    out: Path
    reading: Reading
    mode: str = ""
    budgets: tuple[float, ...] = ()
    usd: float | None = None
    baseline: str = ""
    runs: int = 0
    seeds: int = 0
    every: int = 100
    arrive: int = 0
    at_once: int = 1
    name: str = ""
    aim: str = ""


def replay(asked: Asked, *, quiet: bool) -> Answer:
    """Read, replay, write `<out>/<name>.json` and `.html`, and say the main numbers."""
    console = Console(stderr=True, quiet=quiet, highlight=False)
    try:
        matrix = read(asked.path, asked.reading)
        mode = asked.mode or _mode(matrix)
        console.print(f"{len(matrix.items)} items × {len(matrix.arms)} arms, {mode}")
        result = _study(matrix, mode, asked, console)
    except (OSError, ValueError) as error:
        raise RefusedError(str(error), ["flywheel replay --help"]) from error
    name = _name(asked)
    asked.out.mkdir(parents=True, exist_ok=True)
    kept = {"name": name, "mode": mode, "aim": asked.aim, **result}
    (asked.out / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    report = asked.out / f"{name}.html"
    report.write_text(page(name, kept), encoding="utf-8")
    return Answer(kept, said(kept), [f"open {report}   curves, frontier, control"])


def _name(asked: Asked) -> str:
    return asked.name or asked.path.stem.partition(".")[0]


def _mode(matrix: Matrix) -> str:
    if not np.isnan(matrix.gate).all():
        return "cascade"
    return "contextual" if any(matrix.texts) or any(matrix.contexts) else "trials"


def _study(matrix: Matrix, mode: str, asked: Asked, console: Console) -> dict[str, Any]:
    seeds, runs = asked.seeds or SEEDS.get(mode, 5), asked.runs or RUNS.get(mode, 3000)
    if mode == "doors":
        budget = asked.budgets[0] if asked.budgets else None
        plan = Plan(runs, asked.every, budget, asked.baseline, arrive=asked.arrive, at_once=asked.at_once)
        if asked.at_once > 1:
            # None has to make way for the next.
            plan = replace(plan, trial=runs)
        return study_doors(matrix, plan, seeds, asked.out / f"{_name(asked)}-doors", console.print)
    if mode == "cascade":
        return study_cascade(matrix, Rules(asked.usd, every=asked.every), seeds, console.print)
    if mode == "contextual":
        priced = not np.isnan(matrix.cost).all()
        budgets: tuple[float | None, ...] = asked.budgets or (BUDGETS if priced else (None,))
        plans = [Settings(budget=budget, every=asked.every) for budget in budgets]
        return study_contextual(matrix, plans, seeds, console.print, os.cpu_count() or 1)
    if mode != "trials":
        raise ValueError(f"mode is one of {', '.join(MODES)}, not {mode!r}")
    baseline = asked.baseline or matrix.arms[0]
    if baseline not in matrix.arms:
        raise ValueError(f"baseline is one of {', '.join(matrix.arms)}, not {baseline!r}")
    skill = Skill(baseline_model=baseline, models=tuple(arm for arm in matrix.arms if arm != baseline))
    skill = skill.model_copy(update={"trials_at_once": asked.at_once})
    return study_trials(matrix, skill, runs, seeds, console.print, asked.arrive)
