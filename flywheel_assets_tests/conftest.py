"""Fixtures that every stage's tests share."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from hypothesis import settings

from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.places import Places

REPOSITORY = Path(__file__).resolve().parents[1]
# How long an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets beside the checkout; tests that use it are skipped without it."""
    folder = Path(os.environ.get("FLYWHEEL_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets at {folder}: set FLYWHEEL_SHARED_DATA to run this test")
    return folder


TODAY = datetime.now(UTC).date()
DAYS = [TODAY - timedelta(days=back) for back in (4, 3, 2)]
MODELS = ("provider/small", "provider/large")
WriteRuns = Callable[[Places, date, int], None]


def attribute(key: str, value: object) -> dict[str, object]:
    form = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}[type(value)]
    return {"key": key, "value": {form: str(value) if isinstance(value, int) else value}}


def run_spans(day: date, number: int) -> list[dict[str, object]]:
    """An agent span with a verdict on it, and the model call below it."""
    start = int(datetime(day.year, day.month, day.day, 9, tzinfo=UTC).timestamp() + number) * 10**9
    trace = f"{day:%Y%m%d}{number:024x}"
    good, asked = number % 3 != 0, f"case {number} of {day}"
    agent = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "support",
        "gen_ai.request.model": MODELS[number % 2],
        "gen_ai.conversation.id": f"session {day} {number}",
        "flywheel.skill.name": "triage",
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": asked}]}]),
    }
    verdict = {
        "gen_ai.evaluation.name": "solved",
        "gen_ai.evaluation.score.value": 1.0 if good else 0.0,
        "flywheel.label.source_tier": "check",
        "flywheel.evaluator.id": "ticket-closed",
    }
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": MODELS[number % 2], "gen_ai.usage.input_tokens": 7}
    return [
        {
            "traceId": trace,
            "spanId": f"{number + 1:016x}",
            "name": "invoke_agent support",
            "kind": 1,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + 10**9),
            "attributes": [attribute(*item) for item in agent.items()],
            "events": [
                {
                    "timeUnixNano": str(start + 10**9),
                    "name": "gen_ai.evaluation.result",
                    "attributes": [attribute(*item) for item in verdict.items()],
                }
            ],
            "status": {"code": 1},
        },
        {
            "traceId": trace,
            "spanId": f"{number + 10**6:016x}",
            "parentSpanId": f"{number + 1:016x}",
            "name": "chat",
            "kind": 3,
            "startTimeUnixNano": str(start + 10**8),
            "endTimeUnixNano": str(start + 9 * 10**8),
            "attributes": [attribute(*item) for item in call.items()],
        },
    ]


def write_runs(places: Places, day: date, count: int) -> None:
    """Put a finished Collector file with `count` runs of the day into the inbox."""
    spans = [span for number in range(count) for span in run_spans(day, number)]
    resource = {"attributes": [attribute("service.name", "support")]}
    request = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
    places.inbox.mkdir(parents=True, exist_ok=True)
    hidden = places.inbox / f".{day}-{count}.jsonl"
    hidden.write_text(json.dumps(request) + "\n")
    hidden.rename(places.inbox / f"{day}-{count}.jsonl")


@pytest.fixture
def arrive() -> WriteRuns:
    """Puts recorded runs of a day into an inbox."""
    return write_runs


@pytest.fixture(scope="session")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Three days of runs, turned once. Shared: read, do not write."""
    places = Places(tmp_path_factory.mktemp("wheel") / "data")
    for day in DAYS:
        write_runs(places, day, 30)
    skill = {"baseline_model": MODELS[0], "models": [MODELS[1]]}
    places.skills_file.write_text(yaml.safe_dump({"skills": {"triage": skill}}))
    done = turn_the_wheel(places)
    assert (done.failed, done.red) == ([], [])
    return places


@pytest.fixture
def wheel(turned: Places, tmp_path: Path) -> WheelResource:
    """A copy of the turned wheel, to write to."""
    shutil.copytree(turned.data, tmp_path / "data", ignore=shutil.ignore_patterns("dagster"))
    return WheelResource(data=str(tmp_path / "data"))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral
