"""Inngest's run API, polled.

No Inngest server is to be had as a package (its npm package fetches a binary from elsewhere), so a small server
of ours answers as the captured one did. It shows that we ask in the documented form and read what a real server
answered; not that a server of another version understands the questions, nor how it orders runs of equal times.
"""

import base64
import json
import threading
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.sources.cursor import SourceUnavailableError, collect, read_cursor
from flywheel_assets.sources.inngest import Inngest
from flywheel_assets.sources.inngest_metadata import propensity
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.feedback import FEEDBACK

AFTER = datetime(2026, 11, 22, 19, tzinfo=UTC)


class StandIn:
    """Runs as they were captured, to be changed by a test; what is asked in another form fails the test."""

    def __init__(self, folder) -> None:
        listed = json.loads((folder / "runs.json").read_text())["data"]["runs"]["edges"]
        self.runs = {edge["node"]["id"]: edge["node"] for edge in listed}
        answers = json.loads((folder / "api_capture.json").read_text()).values()
        self.traces = {one["gql"]["data"]["run"]["id"]: one["gql"]["data"]["run"]["trace"] for one in answers}
        self.trees = {one["v2"]["data"]["runId"]: one["v2"]["data"]["rootSpan"] for one in answers}
        self.asked: list[str] = []
        self.refusals: list[str] = []

    def graph(self, query: str, variables: dict) -> dict:
        if "query Runs(" in query:
            return {"runs": self.listed(query, variables)}
        assert query.count("{") == query.count("}"), query
        assert set(variables) == {"runID"}, variables
        self.asked.append(variables["runID"])
        run = self.runs.get(variables["runID"])
        return {"run": run and deepcopy(run) | {"trace": self.traces.get(run["id"])}}

    def listed(self, query: str, variables: dict) -> dict:
        assert "orderBy: [{field: QUEUED_AT, direction: ASC}]" in query, query
        assert "filter: {from: $from, timeField: QUEUED_AT}" in query, query
        since = datetime.fromisoformat(variables["from"])
        runs = sorted(self.runs.values(), key=lambda run: (run["queuedAt"], run["id"]))
        runs = [run for run in runs if datetime.fromisoformat(run["queuedAt"]) >= since]
        if variables["after"]:
            last = tuple(json.loads(base64.b64decode(variables["after"])))
            runs = [run for run in runs if (run["queuedAt"], run["id"]) > last]
        page = runs[: variables["first"]]
        end = base64.b64encode(json.dumps([page[-1]["queuedAt"], page[-1]["id"]]).encode()).decode() if page else None
        return {
            "edges": [{"node": {"id": run["id"], "queuedAt": run["queuedAt"]}} for run in page],
            "pageInfo": {"hasNextPage": len(runs) > len(page), "endCursor": end},
        }


@pytest.fixture
def captured(shared_data) -> StandIn:
    return StandIn(shared_data / "captures" / "inngest")


@pytest.fixture
def inngest(captured: StandIn) -> Iterator[httpx.Client]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self, body: dict, status: int = 200) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_POST(self) -> None:
            try:
                assert self.path == "/v0/gql", self.path
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                self.answer({"data": captured.graph(asked["query"], asked["variables"])})
            except (AssertionError, KeyError) as error:
                captured.refusals.append(str(error))
                self.answer({"errors": [{"message": str(error)}]})

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            run_id = address.path.removeprefix("/api/v2/runs/").removesuffix("/trace")
            if parse_qs(address.query) != {"include_output": ["true"]} or run_id not in captured.trees:
                self.answer({"errors": [{"code": "not_found"}]}, 404)
            else:
                self.answer({"data": {"runId": run_id, "rootSpan": captured.trees[run_id]}})

        def log_message(self, *_args) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
        yield client
    server.shutdown()
    thread.join()
    server.server_close()
    assert captured.refusals == []


# By hand from runs.json (id, function, status), the app that ran (attempts, which step fails), and the end that
# the server has for the run, less the time at which it was queued.
EXPECTED = {
    "01M826998796MSB0T35SSMW0M0": ("agent-app-ok-agent", "ok", "COMPLETED", 1, 1.934371, 2),
    "01M826998DG1H0BFS0S69GDH4S": ("agent-app-nonretry-agent", "error", "FAILED", 1, 0.352809, 0),
    "01M826998NXZDH0XAE59KKPYAZ": ("agent-app-flaky-agent", "ok", "COMPLETED", 3, 2.634714, 3),
    "01M826998PQERJWP7HF66QY5DE": ("agent-app-failing-agent", "error", "FAILED", 2, 1.638860, 2),
    "01M826998S8VCQ8GT23QXG3MVS": ("agent-app-wait-agent", "ok", "COMPLETED", 1, 2.510790, 0),
    # The child agent was invoked by a step of the first, which waited for it: part of that run.
}


def turn(places: Places) -> dict[str, dict]:
    done = turn_the_wheel(places, job="arrival")
    assert (done.failed, [red for red in done.red if "days_in_calendar" not in red]) == ([], [])
    rows = Lake(places.lake).read(AGENT_RUNS).to_pylist()
    assert len({row["run_id"] for row in rows}) == len(rows)
    return {row["run_id"]: row for row in rows}


def poll(client, places: Places, now: datetime = AFTER, page_rows: int = 100):
    return collect(Inngest(client, now, page_rows), places.inbox, places.cursors)


@pytest.mark.parametrize("page_rows", [2, 100])
def test_every_run_of_the_capture_is_one_row_that_ended_as_the_server_says(inngest, tmp_path, page_rows):
    places = Places(tmp_path / "data")
    assert poll(inngest, places, page_rows=page_rows).rows == 6
    found = {
        run_id: (
            run["skill"],
            run["status"],
            run["runtime_status"],
            run["attempts"],
            pytest.approx(run["duration_ns"] / 1e9, abs=0.0015),
            run["llm_calls"],
        )
        for run_id, run in turn(places).items()
    }
    assert found == EXPECTED


def test_what_a_run_was_asked_answered_and_used_is_in_its_row(inngest, tmp_path):
    places = Places(tmp_path / "data")
    poll(inngest, places)
    runs = turn(places)
    done, failed = runs["01M826998796MSB0T35SSMW0M0"], runs["01M826998DG1H0BFS0S69GDH4S"]
    assert (done["input_tokens"], done["output_tokens"], done["cost_usd"]) == (240, 60, pytest.approx(0.000636))
    assert "agent/ok" in done["input_text"]
    assert "child x" in done["output_text"]
    assert failed["error_type"] == "NonRetriableError"


def test_a_second_poll_finds_nothing_new_and_asks_for_no_settled_run(inngest, captured, tmp_path):
    places = Places(tmp_path / "data")
    poll(inngest, places)
    captured.asked.clear()
    again = poll(inngest, places)
    assert (again.rows, again.batches, captured.asked) == (0, 0, [])


def test_runs_queued_at_the_same_time_are_all_read_page_by_page(inngest, captured, tmp_path):
    for run in captured.runs.values():
        run["queuedAt"] = "2026-11-22T17:53:54.441Z"
    places = Places(tmp_path / "data")
    assert poll(inngest, places, page_rows=1).rows == 6
    late = deepcopy(captured.runs["01M826998S8VCQ8GT23QXG3MVS"]) | {"id": "01M826998S8VCQ8GT23QXG3MVT"}
    captured.runs[late["id"]] = late
    assert poll(inngest, places).rows == 1


def test_a_run_that_goes_on_is_open_and_followed_until_it_ended_and_its_scores_are_in(inngest, captured, tmp_path):
    places, one = Places(tmp_path / "data"), "01M826998S8VCQ8GT23QXG3MVS"
    now = datetime(2026, 11, 22, 17, 54, tzinfo=UTC)
    ended, trace = captured.runs[one], captured.traces[one]
    captured.runs[one] = ended | {"status": "RUNNING"}
    captured.traces[one] = trace | {"endedAt": None, "status": "RUNNING"}
    poll(inngest, places, now)
    run = turn(places)[one]
    assert (run["status"], run["runtime_status"], run["duration_ns"]) == ("open", "RUNNING", None)
    assert poll(inngest, places, now).batches == 0, "nothing changed within the hour"
    captured.runs[one], captured.traces[one] = ended, trace
    assert poll(inngest, places, now).batches == 1
    assert turn(places)[one]["status"] == "ok"
    scored = {"kind": "inngest.score", "scope": "run", "updatedAt": "2026-11-22T17:55:00Z"}
    values = {"resolved": '{"value": true}', "stars": '{"value": 4}', "broken": "{}"}
    captured.trees[one]["metadata"].append(scored | {"values": values})
    scored = poll(inngest, places, now + timedelta(minutes=2))
    assert scored.set_aside == {"score without a name or value": 1}
    turn(places)
    said = {row["name"]: row for row in Lake(places.lake).read(FEEDBACK).to_pylist()}
    assert {name: (row["target_id"], row["value"], row["value_text"]) for name, row in said.items()} == {
        "resolved": (one, 1.0, None),
        # Its scale is not known.
        "stars": (one, None, "4"),
    }
    poll(inngest, places, AFTER)
    captured.asked.clear()
    assert (poll(inngest, places, AFTER).rows, captured.asked) == (0, [])


def test_a_run_in_an_experiment_has_the_propensity_of_its_variant(inngest, captured, tmp_path):
    drawn, custom = "01M826998796MSB0T35SSMW0M0", "01M826998NXZDH0XAE59KKPYAZ"
    values = {
        "name": '"answer-model"',
        "variant": '"new"',
        "selection_strategy": '"weighted"',
        "available_variants": '["current","new"]',
        "variant_weights": '{"current":90,"new":10}',
    }
    for one, strategy in ((drawn, '"weighted"'), (custom, '"custom"')):
        given = values | {"selection_strategy": strategy}
        captured.trees[one]["children"][0].setdefault("metadata", []).append(
            {"kind": "inngest.experiment", "values": given}
        )
    places = Places(tmp_path / "data")
    poll(inngest, places)
    runs = turn(places)
    assert {one: (runs[one]["experiment_id"], runs[one]["propensity"]) for one in (drawn, custom)} == {
        drawn: ("inngest/answer-model", 0.1),
        custom: ("inngest/answer-model", None),
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"selection_strategy": "weighted", "variant": "a", "variant_weights": {"a": 3, "b": 1}}, 0.75),
        ({"selection_strategy": "bucket", "variant": "a", "variant_weights": {"a": 1, "b": 1}}, 0.5),
        ({"selection_strategy": "bucket", "variant": "a", "available_variants": ["a", "b", "c", "d"]}, 0.25),
        ({"selection_strategy": "fixed", "variant": "a"}, 1.0),
        ({"selection_strategy": "custom", "variant": "a", "variant_weights": {"a": 1, "b": 1}}, None),
        ({"selection_strategy": "weighted", "variant": "c", "variant_weights": {"a": 1}}, None),
        ({"selection_strategy": "weighted", "variant": "a", "variant_weights": {"a": 0}}, None),
        ({"variant": "a"}, None),
    ],
)
def test_a_propensity_is_what_the_strategy_gave_the_variant_and_nothing_else(values, expected):
    assert propensity(values) == expected


def test_a_poll_that_breaks_off_goes_on_where_it_was(inngest, captured, tmp_path):
    places = Places(tmp_path / "data")
    # The fourth run cannot be asked for.
    gone = captured.runs["01M826998PQERJWP7HF66QY5DE"]
    captured.runs[gone["id"]] = gone | {"status": object()}
    with pytest.raises(SourceUnavailableError):
        poll(inngest, places, page_rows=1)
    assert len(read_cursor(places.cursors, "inngest")["known"]) == 3
    captured.runs[gone["id"]] = gone
    captured.refusals.clear()
    poll(inngest, places, page_rows=1)
    assert set(turn(places)) == set(EXPECTED)


def test_what_is_not_an_inngest_server_is_said_so(tmp_path):
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))) as client:
        client.base_url = "http://127.0.0.1:1"
        with pytest.raises(SourceUnavailableError, match="is it an Inngest server"):
            poll(client, Places(tmp_path / "data"))
    with (
        httpx.Client(base_url="http://127.0.0.1:1") as client,
        pytest.raises(SourceUnavailableError, match="INNGEST_API_URL"),
    ):
        poll(client, Places(tmp_path / "data"))
