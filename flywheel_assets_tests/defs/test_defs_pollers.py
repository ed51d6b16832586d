"""Sources that are asked: a poll's outcome is in the graph, and one that does not answer holds nobody up."""

import json
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagster as dg
import pytest
from typer.testing import CliRunner

from flywheel_assets.cli.app import app
from flywheel_assets.defs.pollers import ask_sources, asset_of, sources_answer
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.runs import horizon
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.sources.polling import POLLED
from flywheel_assets.tables.agent_runs import AGENT_RUNS

ROW = {
    "id": "inv_1",
    "target": "Support/ok",
    "created_at": "2026-11-22T12:00:00.000Z",
    "modified_at": "2026-11-22T12:00:01.000Z",
    "completed_at": "2026-11-22T12:00:01.000Z",
    "status": "completed",
    "completion_result": "success",
}


@pytest.fixture
def admin(monkeypatch) -> Iterator[str]:
    """Restate's admin as far as one row goes; the real one is in real_servers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["content-length"])))["query"]
            first = "'1970-01-01T00:00:00+00:00'" in query
            rows = [{"now": "2026-11-22T12:30:00Z"}] if "now()" in query else [ROW] if first else []
            raw = json.dumps({"rows": rows}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_args) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("RESTATE_ADMIN_URL", f"http://127.0.0.1:{server.server_port}")
    yield "restate"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch) -> None:
    for source in POLLED.values():
        for name in source.needs:
            monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("admin")
def test_a_turn_asks_what_is_configured_and_the_answer_becomes_runs(tmp_path):
    places = Places(tmp_path / "data")
    done = turn_the_wheel(places, job="arrival")
    assert (done.failed, done.red) == ([], [])
    assert {asset_of(source) for source in POLLED} & set(done.rebuilt) == {asset_of("restate")}
    runs = Lake(places.lake).read(AGENT_RUNS).to_pylist()
    assert [(run["run_id"], run["status"]) for run in runs] == [("inv_1", "ok")]


def test_a_source_that_does_not_answer_is_red_and_what_was_pushed_still_lands(monkeypatch, tmp_path, arrive):
    monkeypatch.setenv("INNGEST_API_URL", "http://127.0.0.1:1")
    places = Places(tmp_path / "data")
    arrive(places, date(2026, 11, 20), 3)
    done = turn_the_wheel(places, job="arrival")
    assert done.failed == []
    assert done.red == ["landed_batches: sources_answer"]
    assert asset_of("files") in done.rebuilt
    assert asset_of("inngest") not in done.rebuilt
    assert Lake(places.lake).read(AGENT_RUNS).num_rows == 3
    verdict = sources_answer(WheelResource(data=str(places.data)), None)
    assert "INNGEST_API_URL" in verdict.found["faults"]["inngest"]


@pytest.mark.usefixtures("admin")
def test_the_sensor_asks_and_says_what_came(tmp_path):
    wheel = WheelResource(data=str(tmp_path / "data"))
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, resources={"wheel": wheel})
        assert ask_sources(context).skip_message == "restate: 1 rows, 1 batches"
        assert ask_sources(context).skip_message == "restate: 0 rows, 0 batches"
    assert len(list(wheel.places().inbox.iterdir())) == 1


@pytest.mark.parametrize(("hours", "expected"), [(None, 24), ("6", 6), ("0.5", 0.5)])
def test_the_horizon_of_silence_is_a_setting(hours, expected):
    assert horizon(hours) == timedelta(hours=expected)


@pytest.mark.parametrize("hours", ["0", "-1", "25", "soon"])
def test_a_horizon_that_no_fold_could_keep_is_refused(hours):
    with pytest.raises(ValueError, match=r"at most 24|could not convert"):
        horizon(hours)


def test_without_a_configured_source_the_sensor_says_what_to_set(tmp_path):
    wheel = WheelResource(data=str(tmp_path / "data"))
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, resources={"wheel": wheel})
        assert "RESTATE_ADMIN_URL" in ask_sources(context).skip_message


@pytest.mark.usefixtures("admin")
def test_a_replay_at_another_time_asks_nobody(tmp_path):
    wheel = WheelResource(data=str(tmp_path / "data"), clock="2026-01-01T00:00:00+00:00")
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, resources={"wheel": wheel})
        assert "no source" in ask_sources(context).skip_message


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["restate"], 0, "1 rows"),
        (["mail"], 3, "no source is called mail"),
        (["inngest"], 4, "INNGEST_API_URL"),
    ],
)
@pytest.mark.usefixtures("admin")
def test_a_person_can_ask(tmp_path, arguments, code, said):
    found = CliRunner().invoke(app, ["poll", *arguments, "--data", str(tmp_path / "data")])
    assert found.exit_code == code
    assert said in found.output
