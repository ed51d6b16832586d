"""Gates that compare runs, and one that goes by skills.yaml, seen to object from the doors on."""

import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx
import pytest

from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.receiver.settings import ReceiverSettings
from flywheel_assets.tables.documents.prompt_sections import LESSONS
from flywheel_assets.tables.gate_verdicts import GATE_VERDICTS
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets_tests.conftest import attribute
from flywheel_assets_tests.receiver.conftest import started

NOON = datetime.combine(datetime.now(UTC).date() - timedelta(days=2), datetime.min.time(), UTC) + timedelta(hours=12)
STATED = """
skills: {triage: {baseline_model: provider/small}}
provenance: {tiers: [human, check], services: [support], sources: [otlp]}
"""


class Run(NamedTuple):
    """A run by what is asked and answered, how a check says it went, and what else is told of it."""

    asked: str
    answered: str
    good: bool = True
    service: str = "support"
    segment: str = "production"
    tier: str = "check"


RUNS = {
    "plain": Run("Where is my parcel?", "It is on its way."),
    "one way": Run("May I return a worn coat?", "Yes, within thirty days."),
    "the other": Run("May I return a worn coat?", "Yes, within thirty days.", good=False),
    "echo": Run("Summarise what you know.", f"{LESSONS}\n- Refund it."),
    "examined": Run("Does the lamp come with a bulb in the box?", "It does.", segment="canary"),
    "asks the same": Run("Does the lamp come with a bulb in the box?", "Yes, one bulb."),
    "stranger": Run("Is the shop open on Sunday?", "No.", service="elsewhere"),
    "judged": Run("Do you deliver to Norway?", "We do.", tier="judge"),
}
EXPECTED = {
    "one way": {("contradiction", "hold", "contradiction")},
    "the other": {("contradiction", "hold", "contradiction")},
    "echo": {("echo", "hold", "echo")},
    "examined": {("leakage", "allow", "evaluation")},
    "asks the same": {("leakage", "allow", "near_evaluation")},
    "stranger": {("provenance", "hold", "service_not_allowed")},
    "judged": {("provenance", "hold", "tier_not_allowed")},
}


def span(number: int, run: Run) -> dict[str, object]:
    start = int((NOON + timedelta(minutes=number)).timestamp()) * 10**9
    told = {"input": ("user", run.asked), "output": ("assistant", run.answered)}
    texts = {
        f"gen_ai.{side}.messages": json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])
        for side, (role, text) in told.items()
    }
    named = {"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "provider/small", **texts}
    named |= {"flywheel.skill.name": "triage", "flywheel.segment": run.segment}
    named |= {"flywheel.decision.id": f"decision {number}"}
    named |= {"gen_ai.conversation.id": f"session {number}"}
    return {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": "invoke_agent",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 10**9),
        "attributes": [attribute(*item) for item in named.items()],
        "status": {"code": 1},
    }


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The runs, sent through the doors, and one turn."""
    places = Places(tmp_path_factory.mktemp("gates") / "data")
    places.data.mkdir(parents=True)
    places.skills_file.write_text(STATED)
    spans = [
        {
            "resource": {"attributes": [attribute("service.name", run.service)]},
            "scopeSpans": [{"spans": [span(number, run)]}],
        }
        for number, run in enumerate(RUNS.values())
    ]
    words = [
        {"target_kind": "run", "target_id": f"{number + 1:032x}:{number + 1:016x}", "name": "resolved"}
        | {"value": run.good, "tier": run.tier, "author_id": "tickets", "author_version": "1"}
        | {"observed_at": (NOON + timedelta(hours=1)).isoformat()}
        for number, run in enumerate(RUNS.values())
    ]
    settings = {"inbox": places.inbox, "http_port": 0, "grpc_port": 0}
    with started(ReceiverSettings.model_validate(settings)) as receiver:
        httpx.post(f"{receiver.at.http}/v1/traces", json={"resourceSpans": spans}).raise_for_status()
        headers, lines = {"content-type": "application/json"}, "\n".join(map(json.dumps, words))
        httpx.post(f"{receiver.at.http}/v1/feedback", content=lines, headers=headers).raise_for_status()
    assert turn_the_wheel(places).failed == []
    return Lake(places.lake)


def test_each_is_told_by_its_gate_and_by_no_other(lake: Lake) -> None:
    names = dict(zip((f"{number + 1:032x}" for number in range(len(RUNS))), RUNS, strict=True))
    found: dict[str, set[tuple[str, str, str]]] = {}
    for row in lake.read(GATE_VERDICTS).to_pylist():
        # That a check and the span's own status disagree is another matter.
        if row["reason"] not in {None, "disputed"}:
            said = (row["gate"], row["verdict"], row["reason"])
            found.setdefault(names[row["example_id"].split(":")[0]], set()).add(said)
    assert found == EXPECTED
    admitted = {names[row["trace_id"]] for row in lake.read(GATED_OBSERVATIONS).to_pylist()}
    assert admitted == {"plain", "examined", "asks the same"}
