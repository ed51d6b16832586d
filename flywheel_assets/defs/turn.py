"""`flywheel run`: one turn of the wheel in this process, recorded where the UI shows it."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import dagster as dg

from flywheel_assets.defs.assembly import assemble
from flywheel_assets.defs.home import OWNER_TAG, instance, owner
from flywheel_assets.defs.jobs import turn_tags
from flywheel_assets.defs.report import STANDS
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.side_by_side import execute
from flywheel_assets.lake.places import Places

# The log goes to Dagster's event log; the terminal is for the command that was typed.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

# Called with the step's name and 'started' | 'finished' | 'failed'.
OnStep = Callable[[str, str], None]


@dataclass(slots=True)
class Turn:
    """What one turn did: materialisations by asset, assets that were left as they were and why, checks, failures."""

    run_id: str = ""
    ok: bool = False
    seconds: float = 0.0
    rebuilt: dict[str, int] = field(default_factory=dict[str, int])
    stands: dict[str, str] = field(default_factory=dict[str, str])
    red: list[str] = field(default_factory=list[str])
    failed: list[str] = field(default_factory=list[str])


def turn_the_wheel(
    places: Places,
    on_step: OnStep = lambda _step, _state: None,
    job: str = "turn",
    clock: datetime | None = None,
) -> Turn:
    """Run the job over everything that is new or stale; raises nothing for a step that failed.

    `clock` is the time that a replay is at; without it, the wall clock's.
    """
    at = clock.isoformat() if clock else ""
    defs = assemble(WheelResource(data=str(places.data), lake_url=places.lake_url or "", clock=at))
    started, done, run_id = time.perf_counter(), Turn(), str(uuid.uuid4())
    with instance(places) as dagster:
        dagster.add_event_listener(run_id, lambda entry: _progress(entry, on_step))
        resolved, tags = defs.resolve_job_def(job), {**turn_tags(), OWNER_TAG: owner()}
        result = execute(resolved, dagster, tags, run_id, QUIET)
        for event in result.all_events:
            note(done, event)
    done.run_id, done.ok, done.seconds = result.run_id, result.success, round(time.perf_counter() - started, 2)
    return done


def _progress(entry: dg.EventLogEntry, on_step: OnStep) -> None:
    event = entry.dagster_event
    if event is not None and event.step_key is not None:
        if event.event_type_value == "STEP_START":
            on_step(event.step_key, "started")
        elif event.is_step_success or event.is_step_failure:
            on_step(event.step_key, "finished" if event.is_step_success else "failed")


def note(done: Turn, event: dg.DagsterEvent) -> None:
    """Add what the event says to what was done."""
    if event.is_step_failure:
        error = event.step_failure_data.error
        cause = error.cause or error if error else None
        done.failed.append(f"{event.step_key}: {cause.message.strip() if cause else 'no reason given'}")
    elif event.is_step_materialization:
        said = event.step_materialization_data.materialization
        asset = said.asset_key.to_user_string()
        if STANDS in said.metadata:
            done.stands[asset] = str(said.metadata[STANDS].value)
        else:
            done.rebuilt[asset] = done.rebuilt.get(asset, 0) + 1
    elif event.event_type_value == "ASSET_CHECK_EVALUATION":
        evaluation = event.asset_check_evaluation_data
        if not evaluation.passed:
            done.red.append(f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}")
