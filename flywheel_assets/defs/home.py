"""Dagster's own folder under the data folder: its settings file, and the instance that lives there."""

import json
import os
import socket
from importlib.resources import files
from pathlib import Path

import dagster as dg

from flywheel_assets.defs.steady_log import SteadyEventLog
from flywheel_assets.lake.places import Places

POSTGRES = "FLYWHEEL_POSTGRES_URL"
OWNER_TAG = "flywheel/process"


def prepare(places: Places) -> Path:
    """The folder with a current `dagster.yaml` in it; SQLite, or Postgres where its URL is given."""
    home = (places.data / "dagster").absolute()
    home.mkdir(parents=True, exist_ok=True)
    name = "dagster-postgres.yaml" if os.environ.get(POSTGRES) else "dagster.yaml"
    log = f"  class: {SteadyEventLog.__name__}\n"
    # Whoever is given these settings writes here, whatever its environment says.
    ours = f"{log}  config:\n    home: {json.dumps(str(home))}\n"
    wanted = files("flywheel_assets.defs").joinpath(name).read_text().replace(log, ours)
    settings = home / "dagster.yaml"
    if not settings.exists() or settings.read_text() != wanted:
        settings.write_text(wanted)
    return home


def environment(places: Places) -> dict[str, str]:
    """What a process needs to work on these data: the same names that a person would set."""
    found = {
        "DAGSTER_HOME": str(prepare(places)),
        "FLYWHEEL_DATA": str(places.data.absolute()),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    return found | ({"FLYWHEEL_LAKE": places.lake_url} if places.lake_url else {})


def instance(places: Places) -> dg.DagsterInstance:
    """The instance that the UI shows. Runs of processes that are gone are marked as failed."""
    found = dg.DagsterInstance.from_config(str(prepare(places)))
    bury_the_dead(found)
    return found


def owner() -> str:
    """Who executes a run in its own process: host and process id."""
    return f"{socket.gethostname()}/{os.getpid()}"


def bury_the_dead(found: dg.DagsterInstance) -> None:
    """Fail the runs of killed `flywheel run` processes of this host, and free what they held."""
    host = socket.gethostname()
    for run in found.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])):
        where, _, process = run.tags.get(OWNER_TAG, "").rpartition("/")
        if where == host and not Path(f"/proc/{process}").exists():
            found.report_run_failed(run, f"its process {process} is gone; the next turn takes up where it stopped")
            found.event_log_storage.free_concurrency_slots_for_run(run.run_id)
