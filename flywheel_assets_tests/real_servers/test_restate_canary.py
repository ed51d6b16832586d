"""A Restate service and a plain Python agent decide by the same document, and both are evidence in one trial."""

import json
import re
from collections import Counter

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from scipy.stats import chisquare

from flywheel_assets.artifacts.channel import Channel
from flywheel_assets.client.client import Client
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets_tests.real_servers.conftest import Restate, until

pytestmark = pytest.mark.slow

SKILLS = "skills: {triage: {baseline_model: provider/small, models: [provider/large], holdout: 0.05, explore: 0.0}}\n"
EACH = 120


def plain(restate: Restate, units: list[str]) -> Counter[str]:
    """An agent without any runtime around it; segments that it was given."""
    tracing = TracerProvider(resource=Resource({"service.name": "plain-agent"}), shutdown_on_exit=False)
    tracing.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{restate.otlp}/v1/traces")))
    tracer, client, seen = tracing.get_tracer("plain"), Client(restate.places.artifacts), Counter[str]()
    for unit in units:
        asked = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support"}
        with tracer.start_as_current_span("invoke_agent support", attributes=asked) as span:
            decision = client.decide("triage", unit_id=unit)
            span.set_attribute("gen_ai.request.model", decision.model)
            client.feedback("correct", 1.0, run=span, tier="check", author="checks", author_version="1", tracer=tracer)
            seen[decision.segment] += 1
    tracing.shutdown()
    return seen


def by_restate(restate: Restate, units: list[str]) -> Counter[str]:
    """The same through invocations; waits until the server has told of all of them."""
    seen = Counter(restate.ingress.post("/Support/judged", json=unit).raise_for_status().json() for unit in units)
    ended = {one for one, row in restate.invocations().items() if row["status"] == "completed"}

    def told() -> bool:
        found = b"".join(path.read_bytes() for path in restate.places.inbox.rglob("otlp-*.binpb"))
        pattern = rb"invocation-end .*?(inv_[A-Za-z0-9]{34})"
        return {one.decode() for one in re.findall(pattern, found, re.DOTALL)} >= ended

    until(told, "the spans of what ended")
    return seen


def test_both_get_the_split_they_should_and_their_propensities_are_accepted(restate: Restate):
    places = restate.places
    places.data.mkdir(parents=True, exist_ok=True)
    places.skills_file.write_text(SKILLS)
    assert turn_the_wheel(places).failed == []
    plain(restate, [f"before-{at}" for at in range(20)])
    assert turn_the_wheel(places).failed == []
    channel = Channel(places.artifacts)
    pointer = channel.pointer()
    assert pointer is not None
    route = channel.load(pointer).skills["triage"]
    assert route.experiment_id is not None
    shares = {"holdout": 0.05, **{one.name: 0.95 * one.share for one in route.trial}}
    for kind, seen in (
        ("plain", plain(restate, [f"plain-{at}" for at in range(EACH)])),
        ("restate", by_restate(restate, [f"restate-{at}" for at in range(EACH)])),
    ):
        found = [seen[name] for name in shares]
        assert sum(found) == EACH, (kind, seen)
        assert chisquare(found, [EACH * share for share in shares.values()]).pvalue > 1e-3, (kind, seen)
    assert turn_the_wheel(places).failed == []
    lake = Lake(places.lake)
    runs = [row for row in lake.read(AGENT_RUNS).to_pylist() if row["experiment_id"] == route.experiment_id]
    assert {row["runtime"] for row in runs} == {"gen_ai", "restate"}
    assert all(row["propensity"] == pytest.approx(shares[row["segment"]], abs=0.06) for row in runs)
    look = lake.read(PROMOTION_DECISIONS).to_pylist()[-1]
    assert json.loads(look["criteria_json"])["refused_rows"] == {}
    assert look["candidate_units"] + look["incumbent_units"] == len(runs)
