"""What is said of a run arrives on its span, on a span of its own, or at the receiver."""

import asyncio
import queue
import threading
from datetime import UTC, datetime

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from flywheel_assets.client.client import Client
from flywheel_assets.client.feedback import say
from flywheel_assets.client.post import Poster
from flywheel_assets.receiver.serve import Listening, serve
from flywheel_assets.receiver.settings import ReceiverSettings

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def exported():
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exported):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    yield provider.get_tracer("agent")
    provider.shutdown()


def test_feedback_without_a_target_is_an_event_on_the_current_span(tracer, exported):
    with tracer.start_as_current_span("run"):
        assert say("correct", True, tier="check", author="tests", author_version="3", comment="all green", at=AT)
    event = exported.get_finished_spans()[0].events[0]
    assert (event.name, event.timestamp) == ("gen_ai.evaluation.result", int(AT.timestamp()) * 10**9)
    assert dict(event.attributes) == {
        "gen_ai.evaluation.name": "correct",
        "gen_ai.evaluation.score.value": 1.0,
        "gen_ai.evaluation.explanation": "all green",
        "flywheel.label.source_tier": "check",
        "flywheel.evaluator.id": "tests",
        "flywheel.evaluator.version": "3",
    }


def test_feedback_on_a_run_that_is_over_is_a_span_of_its_own_in_its_own_trace(tracer, exported):
    with tracer.start_as_current_span("run") as run:
        pass
    with tracer.start_as_current_span("another run"):
        assert say("helpful", 4, scale=(1, 5), run=run, tier="human", author="ann", tracer=tracer, at=AT)
    span = next(s for s in exported.get_finished_spans() if s.name == "flywheel.feedback")
    target = f"{run.context.trace_id:032x}:{run.context.span_id:016x}"
    assert span.parent is None
    assert span.start_time == span.end_time == int(AT.timestamp()) * 10**9
    assert dict(span.attributes) == {"flywheel.target.kind": "run", "flywheel.target.id": target}
    assert span.events[0].attributes["gen_ai.evaluation.score.value"] == 0.75
    assert span.events[0].attributes["flywheel.target.id"] == target


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ({"run": "inv_1"}, "run"),
        ({"session": "s"}, "session"),
        ({"response": "r"}, "response"),
        ({"span": "a:b"}, "span"),
    ],
)
def test_targets_are_named_by_kind(tracer, exported, target, kind):
    assert say("ok", 1, **target, tracer=tracer)
    assert exported.get_finished_spans()[0].attributes["flywheel.target.kind"] == kind


@pytest.mark.parametrize("value", [1.01, -0.1, float("nan"), "good", [1]])
def test_a_value_outside_its_scale_is_not_told(tracer, exported, value):
    with tracer.start_as_current_span("run"):
        assert not say("ok", value)
    assert exported.get_finished_spans()[0].events == ()


@pytest.mark.parametrize(
    "statement",
    [{}, {"run": "r"}, {"scale": (1, 1), "run": "r"}, {"scale": None, "run": "r"}, {"tier": "oracle", "run": "r"}],
    ids=str,
)
def test_what_cannot_be_told_is_false_and_never_raises(statement):
    assert not say("ok", 1, **statement)


def test_without_opentelemetry_feedback_is_posted(server):
    address, seen = server
    client = Client("nowhere", feedback_url=address, token="secret")
    assert client.feedback("resolved", 0.5, run="run-1", tier="outcome", author="tickets", at=AT)
    assert client.feedback("resolved", value_text="odd", session="s")
    assert client.close(5)
    assert seen.posted[0] == {
        "path": "/v1/feedback",
        "authorization": "Bearer secret",
        "target_kind": "run",
        "target_id": "run-1",
        "name": "resolved",
        "value": 0.5,
        "tier": "outcome",
        "author_id": "tickets",
        "observed_at": "2026-03-01T12:00:00+00:00",
    }
    assert len(seen.posted) == 2


def test_the_receiver_stores_what_the_client_posts_and_one_wrong_line_costs_only_itself(tmp_path):
    settings = ReceiverSettings(inbox=tmp_path, http_port=0, grpc_port=0)
    listening: queue.Queue[Listening] = queue.Queue()
    ended = asyncio.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(settings, listening.put, ended),))
    thread.start()
    try:
        client = Client("nowhere", feedback_url=listening.get(timeout=10).http)
        assert client.feedback("resolved", 1, run="run-1", tier="outcome", author="tickets", at=AT)
        assert client.feedback("resolved", 0, span="no span", tier="outcome")
        assert client.feedback("tone", value_text="curt", session="s-1")
        assert client.feedback("answer", correction=("at four", "at five"), run="run-2", tier="human", author="ann")
        assert client.feedback("answer", correction=("at four", ""), value=1, run="run-3", tier="human", author="ann")
        assert client.close(10)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"run-1" in stored
    assert b"s-1" in stored
    assert b'"correction":{"before":"at four","after":"at five"}' in stored
    assert b"run-3" in stored
    assert b"no span" not in stored
    assert client._poster.dropped == 1


def test_a_receiver_that_refuses_once_is_asked_again(server):
    address, seen = server
    seen.refuse.append(503)
    poster = Poster(address, None, 2)
    assert poster.post({"name": "ok"})
    assert poster.flush(5)
    assert (len(seen.posted), poster.dropped) == (1, 0)


def test_a_receiver_that_is_not_there_costs_the_statement_and_nothing_else():
    poster = Poster("http://127.0.0.1:9", None, 0.2)
    assert poster.post({"name": "ok"})
    assert poster.flush(5)
    assert poster.dropped == 1
    assert not say("ok", 1, poster=poster)
    loop: dict = {}
    loop["self"] = loop
    assert not poster.post(loop)


@pytest.mark.parametrize(
    ("shown", "attributes"),
    [
        ({"correction": ("4", "5")}, {"flywheel.correction.before": "4", "flywheel.correction.after": "5"}),
        ({"correction": (None, "5")}, {"flywheel.correction.after": "5"}),
        (
            {"demonstration": ("when?", "5")},
            {"flywheel.demonstration.request": "when?", "flywheel.demonstration.answer": "5"},
        ),
    ],
)
def test_what_is_shown_goes_along_without_a_value(tracer, exported, shown, attributes):
    with tracer.start_as_current_span("run"):
        assert say("answer", **shown, tier="human", author="ann")
    told = exported.get_finished_spans()[0].events[0].attributes
    assert {key: told[key] for key in told if "correction" in key or "demonstration" in key} == attributes


def test_a_correction_to_nothing_says_nothing(tracer):
    with tracer.start_as_current_span("run"):
        assert not say("answer", correction=("4", ""))
