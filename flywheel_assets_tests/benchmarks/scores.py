"""What scores, decisions and lineage cost as a fleet grows, beside a plain pandas group-by.

    python -m flywheel_assets_tests.benchmarks.scores --report docs/scores.md

Skills × 8 arms × days of statistics lie in a lake, as the wheel writes them, and so do a month's
observations of one open trial per skill. Measured is what a turn does with them: read and score all
statistics; then look at every trial, with every criterion, and write the entries.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from flywheel_assets.decisions.decide import Decided, Inputs, decide
from flywheel_assets.lake.lake import Lake
from flywheel_assets.scores.score import score
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES
from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS
from flywheel_assets.tables.table import Table
from flywheel_assets_tests.benchmarks.lineage import measure

ARMS, BUCKETS = 8, 120
FIRST = date(2026, 1, 1)
# Units of each open trial: over thirty days, half of what a trial may last.
TRIAL_DAYS, TRIAL_UNITS = 30, 2000
MODULE = "flywheel_assets_tests.benchmarks.scores"
PAGE = """\
# Scores, decisions and lineage as a fleet grows

Written by `python -m flywheel_assets_tests.benchmarks.scores` on {day}, on {cores} cores. Each figure is a process
of its own over a lake that the wheel's own code wrote: skills × 8 arms × days of `skill_day_stats`, and one open
trial per skill of {units:,} units over {trial_days} days. Scores are merged, decayed, shrunk, with intervals and
quantiles of latency; a look gathers a trial's evidence and asks every criterion. The plain script reads seven columns
of the same files and adds them up. CPU seconds say more than the clock where a machine does other things too.
"""
LINEAGE = """
## Why, and used by

`flywheel why ENTRY` and `flywheel used-by SPAN`, from a Python that has just started, with so many runs in
`decision_arguments`, as many in `agent_runs` and twice as many in `run_spans`, a hundred thousand runs a day.
"""
Row = dict[str, Any]


def statistics(skills: int, day: date, rng: np.random.Generator) -> pa.Table:
    """SKILL_DAY_STATS of one day."""
    rows = skills * ARMS
    runs, none, names = rng.integers(5, 60, rows), np.zeros(rows, np.int64), _names(skills)
    good = rng.binomial(runs, rng.uniform(0.4, 0.8, rows)).astype(float)
    seen = np.zeros((rows, BUCKETS), np.int64)
    seen[:, 40:60] = rng.integers(0, 4, (rows, 20))
    counts = {"runs": runs, "admitted": runs, "clusters": runs, "costed": runs, "timed": runs}
    counts |= dict.fromkeys(("missing", "immature", "refused", "errors"), none)
    sums = dict.fromkeys(("sum_w", "sum_ww", "sum_cluster_ww", "sum_seconds"), runs.astype(float))
    sums |= dict.fromkeys(("sum_wy", "sum_wyy", "sum_cluster_wyw", "sum_cluster_wywy"), good)
    sums |= {"sum_cost": runs * 0.01, "sum_cost_sq": runs * 0.0001}
    model = [f"model-{arm}" for arm in range(ARMS)] * skills
    stated = {
        "day": [day] * rows,
        "skill": np.repeat(names, ARMS),
        "arm": [f"{one}|-|-" for one in model],
        "model": model,
        "segment": ["production"] * rows,
        "latency_buckets": list(seen),
    }
    return _table(SKILL_DAY_STATS, stated | counts | sums)


def observations(ledger: pa.Table, day: int, rng: np.random.Generator) -> pa.Table:
    """GATED_OBSERVATIONS of one day of every registered trial."""
    trials, each = ledger.to_pylist(), TRIAL_UNITS // TRIAL_DAYS
    count = len(trials) * each
    candidate = rng.random(count) < 0.5
    began = datetime.combine(FIRST + timedelta(days=day), datetime.min.time(), UTC)
    arms = np.repeat([[one["incumbent_arm"], one["candidate_arm"]] for one in trials], each, axis=0)
    ids = [f"run-{day:03d}-{number:07d}" for number in range(count)]
    stated = {
        "day": [began.date()] * count,
        **dict.fromkeys(("run_id", "trace_id", "root_span_id", "unit_id", "example_id", "principal_id"), ids),
        "skill": np.repeat([one["skill"] for one in trials], each),
        "experiment_id": np.repeat([one["experiment_id"] for one in trials], each),
        "arm": arms[np.arange(count), candidate.astype(int)],
        "segment": np.where(candidate, "canary", "production"),
        "outcome": (rng.random(count) < 0.6).astype(float),
        "start_time": [began + timedelta(seconds=number // len(trials)) for number in range(count)],
    }
    fixed = {"propensity": 0.4, "grain": "run", "outcome_state": "labeled", "status": "ok", "runtime": "gen_ai"}
    fixed |= {"confidence": 1.0, "weight": 1.0, "votes": 1, "dissent": 0, "redacted": False, "cost_usd": 0.01}
    fixed |= {"duration_ns": 10**9, "labelers": ["check"], "remarks": []}
    return _table(GATED_OBSERVATIONS, stated | {name: [value] * count for name, value in fixed.items()})


def registrations(skills: int, inputs: Callable[[int, pa.Table, pa.Table], Inputs]) -> pa.Table:
    """A ledger with one open trial per skill."""
    fixed = {"arm": "model-1|-|-", "model": "model-1", "incumbent_arm": "model-0|-|-", "state": "proposed"}
    fixed |= {"rank": 1, "effective_n": 50.0, "reason": "benchmark"}
    proposed = [{"candidate_id": skill, "skill": skill, **fixed} for skill in _names(skills)]
    return decide(inputs(-1, PROMOTION_DECISIONS.empty(), ROUTING_CANDIDATES.rows(proposed))).entries


def fill(lake: Lake, skills: int, days: int, seed: int = 1) -> None:
    """A lake with statistics of so many days, and a month of one trial per skill."""
    rng = np.random.default_rng(seed)
    for number in range(days):
        day = FIRST + timedelta(days=number)
        lake.overwrite(SKILL_DAY_STATS, statistics(skills, day, rng), day)
    ledger = registrations(skills, lambda day, known, proposed: turn(lake, skills, day, known, proposed))
    lake.append(PROMOTION_DECISIONS, ledger, "seq-1")
    for number in range(TRIAL_DAYS):
        lake.overwrite(GATED_OBSERVATIONS, observations(ledger, number, rng), FIRST + timedelta(days=number))


def turn(lake: Lake, skills: int, day: int, ledger: pa.Table, proposed: pa.Table) -> Inputs:
    """What one turn of the decisions reads."""
    return Inputs(
        ledger=ledger,
        routing_candidates=proposed,
        prompt_candidates=PROMPT_CANDIDATES.empty(),
        con=lake.connect([GATED_OBSERVATIONS, AGENT_RUNS]),
        skills=SkillsFile(
            skills={name: Skill(baseline_model="model-0", models=("model-1",)) for name in _names(skills)}
        ),
        now=datetime.combine(FIRST + timedelta(days=day), datetime.max.time(), UTC),
        manifest={},
    )


def scored(lake: Lake, _skills: int, days: int) -> int:
    """Statistics → scores."""
    return score(lake.read(SKILL_DAY_STATS, ordered=False), FIRST + timedelta(days=days)).num_rows


def decided(lake: Lake, skills: int, _days: int) -> int:
    """Every open trial, looked at once."""
    found: Decided = decide(turn(lake, skills, TRIAL_DAYS, lake.read(PROMOTION_DECISIONS), ROUTING_CANDIDATES.empty()))
    return found.entries.num_rows


def grouped(lake: Lake, _skills: int, _days: int) -> int:
    """The same statistics, added up per skill and arm, and nothing else."""
    columns = ["skill", "arm", "runs", "admitted", "sum_w", "sum_wy", "sum_cost", "costed", "errors"]
    rows = pd.concat([pd.read_parquet(file, columns=columns) for file in lake.files(SKILL_DAY_STATS)])
    found = rows.groupby(["skill", "arm"]).sum()
    found["mean"] = found["sum_wy"] / found["sum_w"]
    return len(found)


WORK: dict[str, Callable[[Lake, int, int], int]] = {
    "statistics → `skill_scores`": scored,
    "every open trial → its look": decided,
    "pandas: statistics added up per arm": grouped,
}


def once(what: str, folder: Path, skills: int, days: int) -> None:
    """One piece of work in this process: its rows, seconds, and seconds of the processor, as JSON."""
    lake = Lake(str(folder))
    started, spent = time.perf_counter(), time.process_time()
    rows = WORK[what](lake, skills, days)
    took = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - spent}
    sys.stdout.write(json.dumps({"rows": rows, **took}))


def measured(what: str, folder: Path, skills: int, days: int) -> Row:
    """The same in a process of its own, with its peak memory."""
    words = [sys.executable, "-m", MODULE, "--once", what]
    words += ["--folder", str(folder), "--skills", str(skills), "--days", str(days)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    printed = child.stdout.read() if child.stdout else ""
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        message = f"{what} ended with {child.returncode}"
        raise RuntimeError(message)
    return json.loads(printed) | {"peak": used.ru_maxrss / 2**10}


def cell(skills: int, days: int) -> list[str]:
    """So many skills over so many days, as lines of the page."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Lake(folder), skills, days)
        found = {what: measured(what, Path(folder), skills, days) for what in WORK}
    plain = found["pandas: statistics added up per arm"]["cpu"]
    return [
        f"| {skills} | {days} | {what} | {one['rows']:,} | {one['seconds']:.1f} | {one['cpu']:.1f} "
        f"| {one['cpu'] / plain:.1f} | {one['peak']:,.0f} |"
        for what, one in found.items()
    ]


def page(cells: list[str], asked: list[Row]) -> str:
    """The report."""
    lines = [
        PAGE.format(cores=os.cpu_count(), day=datetime.now(UTC).date(), units=TRIAL_UNITS, trial_days=TRIAL_DAYS),
        "| skills | days | what | rows out | seconds | CPU s | × pandas | peak MiB |",
        "| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |",
        *cells,
        LINEAGE,
        "| question | runs that argued | seconds | CPU s |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {one['question']} | {one['runs']:,} | {one['seconds']:.1f} | {one['cpu']:.1f} |" for one in asked),
    ]
    return "\n".join(lines) + "\n"


def _names(skills: int) -> list[str]:
    return [f"skill-{number:03d}" for number in range(skills)]


def _table(table: Table, columns: Row) -> pa.Table:
    known = {one.name: pa.array(columns[one.name], one.type) for one in table.columns if one.name in columns}
    count = len(known["day"])
    return table.conform(pa.table({one.name: known.get(one.name, pa.nulls(count, one.type)) for one in table.columns}))


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skills", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--days", type=int, nargs="+", default=[90, 365])
    parser.add_argument("--runs", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--report", type=Path, default=Path("docs/scores.md"))
    parser.add_argument("--once", choices=sorted(WORK))
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.once:
        once(given.once, given.folder, given.skills[0], given.days[0])
        return
    cells = [line for skills in given.skills for days in given.days for line in cell(skills, days)]
    asked: list[Row] = []
    for runs in given.runs:
        with tempfile.TemporaryDirectory() as folder:
            asked += measure(runs, Path(folder))
    given.report.write_text(page(cells, asked), encoding="utf-8")


if __name__ == "__main__":
    main()
