"""The simulated fleet sends what it says, on the day it says, and says that it is simulated."""

import http.server
import threading
from collections import Counter
from datetime import UTC, date, datetime

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from flywheel_assets.client.policy import load_policy
from flywheel_assets.decisions.rollout import baseline
from flywheel_assets.replay.fleet import Fleet
from flywheel_assets.replay.planted import EXTRACT_PROMPT, PLANTED, STORM, demo_skills
from flywheel_assets.replay.requests import request
from flywheel_assets.tables.documents.arm import Arm

DAY = date(2026, 3, 4)


class Sink(http.server.ThreadingHTTPServer):
    """Takes OTLP/HTTP requests and keeps them; refuses everything once `broken`."""

    def __init__(self):
        self.requests: list[ExportTraceServiceRequest] = []
        self.tokens: set[str | None] = set()
        self.broken = False
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def spans(self):
        return [s for r in self.requests for rs in r.resource_spans for ss in rs.scope_spans for s in ss.spans]


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tokens.add(self.headers.get("Authorization"))
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(400 if self.server.broken else 200)
        if not self.server.broken:
            self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def sink():
    with Sink() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def fleet(sink, tmp_path):
    made = Fleet(f"http://127.0.0.1:{sink.server_port}", tmp_path, seed=7, token="secret")
    yield made
    made.close()


def attributes(span):
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}


def test_a_wave_has_as_many_spans_as_it_says_all_on_its_day_and_marked_as_simulated(fleet, sink):
    report = fleet.wave(DAY, 80)
    assert (report.runs, report.spans) == (80, len(sink.spans))
    assert len({(s.trace_id, s.span_id) for s in sink.spans}) == report.spans
    assert {
        datetime.fromtimestamp(t / 1e9, UTC).date()
        for s in sink.spans
        for t in (s.start_time_unix_nano, s.end_time_unix_nano)
    } == {DAY}
    resources = [attributes(rs.resource) for r in sink.requests for rs in r.resource_spans]
    assert all(r["service.name"] == "simulated-fleet" and r["flywheel.simulation"] is True for r in resources)
    assert sink.tokens == {"Bearer secret"}
    assert sum(tally.served.runs for tally in report.skills.values()) == 80


def test_every_run_carries_its_decision_and_nine_of_ten_their_outcome(fleet, sink):
    report = fleet.wave(DAY, 400)
    roots = [s for s in sink.spans if attributes(s).get("gen_ai.operation.name") == "invoke_agent"]
    assert len(roots) == 400
    said = [attributes(root) for root in roots]
    assert {a["flywheel.segment"] for a in said} == {"default"}
    arms = {a["flywheel.skill.name"]: a["flywheel.arm"] for a in said}
    assert arms == {name: baseline(skill) for name, skill in demo_skills().skills.items()}
    assert report.skills["sql"].arms.keys() == {arms["sql"]}
    judged = sum(bool(root.events) for root in roots)
    told = [attributes(s)["flywheel.target.id"] for s in sink.spans if s.name == "flywheel.feedback"]
    assert 0.85 < (judged + len(told)) / 400 < 0.95
    assert set(told) <= {f"{root.trace_id.hex()}:{root.span_id.hex()}" for root in roots}
    chats = [attributes(s) for s in sink.spans if s.name.startswith("chat ")]
    assert 400 <= len(chats) < 520
    assert all(c["gen_ai.usage.cost"] > 0 for c in chats if "error.type" not in c)
    assert any("error.type" in c for c in chats)


def test_the_same_seed_makes_the_same_runs(sink, tmp_path):
    seen = []
    for _ in range(2):
        fleet = Fleet(f"http://127.0.0.1:{sink.server_port}", tmp_path, seed=3)
        fleet.wave(DAY, 40)
        fleet.close()
        seen.append(
            sorted((s.trace_id, s.span_id, s.name, s.start_time_unix_nano, s.end_time_unix_nano) for s in sink.spans)
        )
        sink.requests.clear()
    assert seen[0] == seen[1]


def test_the_retry_storm_is_one_session_with_one_request(fleet, sink):
    for _ in range(STORM.wave):
        fleet.wave(DAY, 4)
    sink.requests.clear()
    report = fleet.wave(DAY, 40)
    assert report.runs == 40 + STORM.runs
    stormy = [a for a in map(attributes, sink.spans) if a.get("user.id") == "sim-user-storm"]
    assert len(stormy) == STORM.runs
    for same in ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.conversation.id", "flywheel.arm"):
        assert len({a[same] for a in stormy}) == 1
    assert sum(tally.served.runs for tally in report.skills.values()) == 40


def test_a_receiver_that_does_not_take_every_span_is_an_error(fleet, sink):
    sink.broken = True
    with pytest.raises(ConnectionError, match="acknowledged 0 of"):
        fleet.wave(DAY, 4)


def test_arms_are_served_as_the_artifacts_say_and_scored_by_the_planted_truth(fleet, tmp_path, publish_route):
    deep = "sim-south/deep-2|-|-"
    publish_route(tmp_path, "triage", deep, holdout=0.2)
    report = fleet.wave(DAY, 400).skills["triage"]
    assert report.segments.keys() == {"holdout", "production"}
    assert report.segments["production"].mean == pytest.approx(PLANTED["triage"].success("sim-south/deep-2", "", 0))
    assert report.segments["holdout"].mean == pytest.approx(report.baseline)
    assert report.arms[deep].runs + report.segments["holdout"].runs == report.served.runs


@pytest.fixture
def publish_route():
    """Writes an artifacts folder with one route, as small as the client takes it."""
    import hashlib
    import json

    def write(folder, skill, arm, holdout):
        baseline = f"{PLANTED[skill].models[0].name}|-|-"
        route = {"salt": "s", "fixed": [{"name": "holdout", "arm": baseline, "share": holdout}], "trial_salt": "t"}
        route["trial"] = [{"name": "production", "arm": arm, "share": 1.0}]
        content = json.dumps({"skills": {skill: route}}).encode()
        pointer = {"policy_id": "p", "path": "r.json", "sha256": hashlib.sha256(content).hexdigest(), "version": 1}
        (folder / "channels").mkdir()
        (folder / "r.json").write_bytes(content)
        (folder / "channels/production.json").write_text(json.dumps(pointer))
        assert load_policy(
            (folder / "channels/production.json").read_bytes(), lambda name: (folder / name).read_bytes()
        )

    return write


@pytest.mark.parametrize(
    ("skill", "model", "prompt", "wave", "expected"),
    [
        ("triage", "sim-south/deep-2", "", 0, 0.82),
        ("triage", "another", "", 0, 0.0),
        ("extract", "sim-north/swift-1", EXTRACT_PROMPT, 0, 0.50),
        ("extract", "sim-north/swift-1", "Lessons\n- dates as ISO 8601", 0, 0.82),
        ("extract", "sim-north/swift-1", 'Example: {"date": "2024-05-06"}', 0, 0.82),
        ("summarise", "sim-east/nova-3", "", 4, 0.86),
        ("summarise", "sim-east/nova-3", "", 5, 0.12),
        ("sql", "sim-south/deep-2", "ISO 8601", 0, 0.64),
    ],
)
def test_what_is_planted_is_what_happens(skill, model, prompt, wave, expected):
    assert PLANTED[skill].success(model, prompt, wave) == pytest.approx(expected)


def test_the_demo_skills_are_the_planted_ones():
    skills = demo_skills().skills
    assert skills.keys() == PLANTED.keys()
    for name, truth in PLANTED.items():
        assert (skills[name].baseline_model, *skills[name].models) == tuple(model.name for model in truth.models)
        assert Arm.parse(f"{skills[name].baseline_model}|-|-")


@pytest.mark.parametrize("skill", PLANTED)
def test_requests_of_a_skill_differ_and_wrong_answers_are_not_right(skill):
    from random import Random

    rng = Random(1)
    made = [request(skill, rng) for _ in range(500)]
    assert Counter(r.text for r in made).most_common(1)[0][1] == 1
    assert all(r.right != r.wrong and r.complaint for r in made)
    grams = [_grams(f"{r.text} {r.right}") for r in made]
    near = sum(len(a & b) / len(a | b) >= 0.9 for i, a in enumerate(grams) for b in grams[:i])
    assert near == 0


def _grams(text):
    words = text.lower().split()
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}
