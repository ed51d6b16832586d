"""What makes the wheel turn by itself: something arrived, a day was left stale, enough was learnt, somebody spoke.

Every tick says why it did or did not act. A run key states what the request is about, so that a
request is made exactly once however often the sensor is evaluated.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from flywheel_assets.decisions.decide import decide
from flywheel_assets.defs.approvals import said_files
from flywheel_assets.defs.decisions import gather
from flywheel_assets.defs.jobs import arrival, learning, turn, turn_tags
from flywheel_assets.defs.partitions import calendar
from flywheel_assets.defs.progress import admitted_at_last_decision, admitted_runs
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.lake.stale import inputs, stale_days
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.steps import DAY_STEPS

ENOUGH = int(os.environ.get("FLYWHEEL_ENOUGH_RUNS", "100"))
# What no further runs are waited for: the tests may be looked at at any time.
ENDED = ("rolled_back", "abandoned")
RUNNING = dg.DefaultSensorStatus.RUNNING
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


@dg.sensor(
    job=arrival,
    minimum_interval_seconds=10,
    default_status=RUNNING,
    description="Lands and computes when bytes are in the inbox that were not there at the last request.",
)
def inbox(context: dg.SensorEvaluationContext, wheel: WheelResource) -> dg.SensorResult:
    """Lands and computes when bytes are in the inbox that were not there at the last request."""
    before, now = json.loads(context.cursor or "{}"), listing(wheel.places().inbox)
    new = {name: size for name, size in now.items() if before.get(name) != size}
    if not new and (lost := never_began(context.instance, "inbox")):
        context.log.info("run %s failed before its first step", lost)
        again = dg.RunRequest(run_key=f"inbox/again/{lost}", tags=turn_tags())
        return dg.SensorResult(run_requests=[again], cursor=json.dumps(now))
    if not new:
        return dg.SensorResult(skip_reason=f"nothing new among {len(now)} files of the inbox", cursor=json.dumps(now))
    context.log.info("%s files of the inbox are new or have grown", len(new))
    request = dg.RunRequest(run_key=f"inbox/{digest(new)}", tags=turn_tags())
    return dg.SensorResult(run_requests=[request], cursor=json.dumps(now))


@dg.sensor(
    job=arrival,
    minimum_interval_seconds=60,
    default_status=RUNNING,
    description="Takes up what a killed run left, once per content: a day that fails again is not asked for again.",
)
def left_stale(context: dg.SensorEvaluationContext, wheel: WheelResource) -> dg.SensorResult:
    """Takes up what a killed run left, once per content: a day that fails again is not asked for again."""
    busy = context.instance.get_runs_count(dg.RunsFilter(statuses=UNFINISHED))
    if busy:
        return dg.SensorResult(skip_reason=f"{busy} runs are under way and may be at it")
    stale = stale_stamps(wheel.lake())
    if not stale:
        return dg.SensorResult(skip_reason="every day was built from what is in the lake now")
    context.log.info("stale: %s", ", ".join(sorted(stale)))
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"stale/{digest(stale)}", tags=turn_tags())])


@dg.sensor(
    job=learning,
    minimum_interval_seconds=15,
    default_status=RUNNING,
    description="Decides again when enough runs were admitted since the last decision (FLYWHEEL_ENOUGH_RUNS).",
)
def enough_new_runs(context: dg.SensorEvaluationContext, wheel: WheelResource) -> dg.SensorResult:
    """Decides again when enough runs were admitted since the last decision (FLYWHEEL_ENOUGH_RUNS, default 100)."""
    now, then = admitted_runs(wheel.lake()), admitted_at_last_decision(context.instance)
    if now - then < ENOUGH:
        return dg.SensorResult(
            skip_reason=f"{now - then} runs were admitted since the last decision, {ENOUGH} are enough"
        )
    context.log.info("%s runs were admitted since the last decision", now - then)
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"admitted/{then}/{now}")])


@dg.sensor(
    job=learning,
    minimum_interval_seconds=15,
    default_status=RUNNING,
    description="Decides before enough runs have come, where they are enough to undo a promotion or end a trial.",
)
def harm_seen(context: dg.SensorEvaluationContext, wheel: WheelResource) -> dg.SensorResult:
    """Decides before enough runs have come, where they are enough to undo a promotion or end a trial."""
    lake = wheel.lake()
    seen = str(lake.versions([GATED_OBSERVATIONS]).get(GATED_OBSERVATIONS.name, "none"))
    if seen == context.cursor:
        return dg.SensorResult(skip_reason=f"no run was admitted or changed since the last look, at version {seen}")
    entries = decide(gather(wheel, wheel.now())).entries.to_pylist()
    ended = [one for one in entries if one["kind"] in ENDED]
    if not ended:
        return dg.SensorResult(skip_reason=f"nothing is to be undone or ended, at version {seen}", cursor=seen)
    for one in ended:
        context.log.info("%s: %s %s, %s", one["kind"], one["skill"], one["candidate_arm"], one["reason"])
    key = digest({one["experiment_id"]: one["kind"] for one in ended})
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"harm/{seen}/{key}")], cursor=seen)


@dg.sensor(
    job=turn,
    minimum_interval_seconds=10,
    default_status=RUNNING,
    description="Turns when a person said something: skills.yaml, prices.yaml, an approval, a rollback, a prompt.",
)
def people_said(context: dg.SensorEvaluationContext, wheel: WheelResource) -> dg.SensorResult:
    """Turns when a person said something: what is in production at launch is published by it, too.

    A whole turn: names and prices concern runs that are there already.
    """
    said = statements(wheel.places())
    if not said:
        return dg.SensorResult(skip_reason="nobody has said anything: there is no skills.yaml")
    if (digested := digest(said)) == context.cursor:
        return dg.SensorResult(skip_reason=f"nothing new in {', '.join(said)}", cursor=digested)
    context.log.info("new, or said again: %s", ", ".join(said))
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"said/{digested}", tags=turn_tags())], cursor=digested)


content_changed = dg.AutomationConditionSensorDefinition(
    "content_changed",
    target=dg.AssetSelection.all(),
    default_status=RUNNING,
    minimum_interval_seconds=30,
    description="Evaluates the automation policies: what is recomputed when the content it reads changes.",
)


def never_began(instance: dg.DagsterInstance, sensor: str) -> str | None:
    """The sensor's newest run, where it failed before its first step: the machine was too busy to start it, say."""
    for run in instance.get_runs(dg.RunsFilter(tags={"dagster/sensor_name": sensor}), limit=1):
        if run.status == dg.DagsterRunStatus.FAILURE and not instance.get_run_step_stats(run.run_id):
            return run.run_id
    return None


def listing(folder: Path) -> dict[str, int]:
    """Size of every file under the inbox; those whose names begin with a dot are not complete."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in found}


def statements(places: Places) -> dict[str, str]:
    """What people wrote that decisions go by: file → hash of its content."""
    files = [places.skills_file, places.prices_file, *said_files(places), *sorted(places.prompts.rglob("*.md"))]
    return {
        path.relative_to(places.data).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file()
    }


def stale_stamps(lake: Lake) -> dict[str, str]:
    """'<step> <day>' → what it would be built from, for every stale day of the calendar."""
    first, last = calendar()
    found: dict[str, str] = {}
    for step in DAY_STEPS:
        days = [day for day in stale_days(lake, step) if first <= day <= last]
        found |= {f"{step.name} {day}": stamp for day, stamp in inputs(lake, step, days).items()}
    return found


def digest(items: Mapping[str, object]) -> str:
    """Fifteen hex digits over names and values."""
    return hashlib.sha256(json.dumps(items, sort_keys=True).encode()).hexdigest()[:15]
