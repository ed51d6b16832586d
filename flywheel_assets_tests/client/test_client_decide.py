"""What an agent gets, and that nothing it does or that happens to the artifacts raises."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider

from flywheel_assets.client.client import Client

PROMPT = "Answer in one word."
VERSION = hashlib.sha256(PROMPT.encode()).hexdigest()[:12]
LARGE = f"north/large|{VERSION}|-"


def test_a_decision_carries_model_prompt_and_propensity(tmp_path, write):
    policy = write(tmp_path)
    decision = Client(tmp_path).decide("triage", "ticket-1", {"language": "de"})
    assert (decision.model, decision.prompt, decision.prompt_version) == ("north/large", PROMPT, VERSION)
    assert (decision.arm, decision.segment, decision.propensity) == (LARGE, "production", 1.0)
    assert (decision.policy_id, decision.experiment_id, decision.fallbacks) == (policy, None, ("b/1",))
    assert decision.attributes() == {
        "flywheel.skill.name": "triage",
        "flywheel.decision.id": decision.decision_id,
        "flywheel.policy.id": policy,
        "flywheel.arm": LARGE,
        "flywheel.segment": "production",
        "flywheel.propensity": 1.0,
        "flywheel.unit.id": "ticket-1",
        "flywheel.candidate_set": json.dumps({LARGE: 1.0}, separators=(",", ":")),
        "flywheel.context": '{"language": "de"}',
    }


def test_an_arm_without_a_prompt_of_its_own_gets_the_agents(tmp_path, write):
    write(tmp_path, arm="north/large|-|-")
    decision = Client(tmp_path, default_prompt="mine").decide("triage")
    assert (decision.prompt, decision.prompt_version) == ("mine", "-")
    assert Client(tmp_path).decide("triage", default_prompt="yours").prompt == "yours"


def test_a_unit_keeps_its_arm_and_runs_without_one_are_drawn_each(tmp_path, write):
    write(tmp_path, holdout=0.5)
    client = Client(tmp_path)
    assert len({client.decide("triage", "ticket-1").arm for _ in range(50)}) == 1
    decisions = [client.decide("triage") for _ in range(200)]
    assert len({d.arm for d in decisions}) == 2
    assert len({d.decision_id for d in decisions}) == len({d.unit_id for d in decisions}) == 200


@pytest.mark.parametrize(
    ("model", "prompt", "arm"),
    [("", "", None), ("m", "", "m|-|-"), ("m", PROMPT, f"m|{VERSION}|-")],
)
def test_an_unknown_skill_gets_the_callers_default_without_a_propensity(tmp_path, write, model, prompt, arm):
    write(tmp_path)
    decision = Client(tmp_path).decide("unheard-of", "u", default_model=model, default_prompt=prompt)
    assert (decision.model, decision.prompt, decision.arm) == (model, prompt, arm)
    assert (decision.segment, decision.propensity, decision.candidate_set) == ("default", None, None)
    assert "flywheel.propensity" not in decision.attributes()


def damage_pointer(folder):
    (folder / "channels/production.json").write_text('{"policy_id": "x", "pa')


def damage_pointer_shape(folder):
    (folder / "channels/production.json").write_text("[[1]]")


def damage_pointer_escape(folder):
    (folder / "channels/production.json").write_text('{"policy_id": "x", "path": "../../etc/passwd", "sha256": ""}')


def damage_document(folder):
    path = next((folder / "routing").glob("*.json"))
    path.write_text(path.read_text()[:-20])


def damage_prompt(folder):
    (folder / f"prompts/triage/{VERSION}.json").write_text('{"text": "Answer in two words."}')


def damage_nesting(folder):
    (folder / "channels/production.json").write_text("[" * 100_000)


def damage_bytes(folder):
    (folder / "channels/production.json").write_bytes(b"\xff\xfe\x00")


def remove_prompt(folder):
    (folder / f"prompts/triage/{VERSION}.json").unlink()


def remove_all(folder):
    (folder / "channels").rename(folder / "gone")


DAMAGES = [
    damage_pointer,
    damage_pointer_shape,
    damage_pointer_escape,
    damage_document,
    damage_prompt,
    damage_nesting,
    damage_bytes,
    remove_prompt,
    remove_all,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
def test_a_damaged_artifact_leaves_the_last_good_one_in_use(tmp_path, write, damage):
    good = write(tmp_path, arm=LARGE)
    client = Client(tmp_path)
    write(tmp_path, arm="b/1|-|-" if damage not in (damage_prompt, remove_prompt) else f"b/1|{VERSION}|-", version=2)
    damage(tmp_path)
    if damage is damage_document:
        (tmp_path / "routing/2.json").write_text("{}")
    assert not client.refresh()
    assert client.problem
    assert client.decide("triage").policy_id == good
    fresh = Client(tmp_path, default_model="m").decide("triage")
    assert (fresh.model, fresh.segment, fresh.propensity) == ("m", "default", None)
    write(tmp_path, arm="b/1|-|-", version=3)
    if damage is remove_all:
        assert (tmp_path / "channels").is_dir()
    assert client.refresh()
    assert (client.problem, client.decide("triage").model) == (None, "b/1")


@pytest.mark.parametrize(
    "source", ["nowhere/at/all", "http://127.0.0.1:9/artifacts", "http://[", "https://", "file:///no"]
)
def test_a_source_that_is_not_there_never_raises(source):
    client = Client(source, timeout=0.2)
    assert client.problem
    assert client.decide("triage", default_model="m").model == "m"


@given(
    skill=st.text(),
    unit=st.none() | st.text(st.characters()) | st.integers(),
    context=st.dictionaries(st.text(), st.text()),
)
def test_nothing_that_an_agent_passes_raises(skill, unit, context):
    decision = Client("nowhere").decide(skill, unit, context)
    assert decision.segment == "default"
    assert decision.attributes()["flywheel.skill.name"] == skill


@pytest.mark.parametrize("odd", [None, 3, ["triage"], {"a": 1}])
def test_odd_arguments_get_the_default(tmp_path, write, odd):
    write(tmp_path)
    assert Client(tmp_path).decide(odd).segment == "default"
    loop: dict = {}
    loop["self"] = loop
    assert "flywheel.context" not in Client(tmp_path).decide("triage", odd, loop).attributes()
    assert Client(tmp_path).decide("triage", "\ud800").segment == "production"


def test_a_new_artifact_is_picked_up_beside_the_decisions(tmp_path, write):
    write(tmp_path)
    client = Client(tmp_path, check_every=0.01)
    second = write(tmp_path, arm="b/1|-|-", version=2)
    end = time.monotonic() + 5
    while client.decide("triage").policy_id != second and time.monotonic() < end:
        time.sleep(0.005)
    assert client.decide("triage").model == "b/1"


def test_over_http_an_unchanged_artifact_costs_one_request_without_a_body(tmp_path, write, server):
    address, seen = server
    write(tmp_path)
    client = Client(address)
    assert client.decide("triage").prompt == PROMPT
    assert client.refresh()
    assert seen.answers == [200, 200, 200, 304]
    second = write(tmp_path, arm="b/1|-|-", version=2)
    assert client.refresh()
    assert client.policy_id == second


def test_a_server_that_goes_away_leaves_the_last_good_artifact_in_use(tmp_path, write, server):
    address, _ = server
    good = write(tmp_path)
    client = Client(address, timeout=0.5)
    (tmp_path / "channels/production.json").unlink()
    assert not client.refresh()
    assert client.decide("triage").policy_id == good


def test_the_current_span_is_annotated_when_it_records(tmp_path, write):
    write(tmp_path)
    tracer = TracerProvider().get_tracer("agent")
    client = Client(tmp_path)
    with tracer.start_as_current_span("run") as span:
        decision = client.decide("triage", "u")
    assert dict(span.attributes) == decision.attributes()
    with tracer.start_as_current_span("run") as untouched:
        Client(tmp_path, annotate=False).decide("triage", "u")
    assert not untouched.attributes
    decision.annotate(untouched)
    assert not untouched.attributes


def test_a_forked_process_makes_ids_of_its_own(tmp_path, write):
    """In a process without threads: forking beside pytest's would warn."""
    write(tmp_path)
    code = """
import os, sys
from flywheel_assets.client.client import Client
client = Client(sys.argv[1])
first = client.decide("triage").decision_id
if os.fork() == 0:
    print(client.decide("triage").decision_id, flush=True)
    os._exit(0)
os.wait()
print(client.decide("triage").decision_id, first)
"""
    answer = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert len(set(answer.stdout.split())) == 3


def test_the_client_imports_neither_the_package_nor_anything_to_install():
    code = """
import sys
sys.modules["opentelemetry"] = None
import flywheel_assets.client.client
names = {name.partition(".")[0] for name in sys.modules}
mine = sorted(name for name in sys.modules if name.startswith("flywheel_assets") and "client" not in name)
print(sorted(names - sys.stdlib_module_names - {"flywheel_assets", "opentelemetry", "__main__"}), mine)
"""
    answer = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert answer.stdout.strip() == "[] ['flywheel_assets']"


@pytest.mark.parametrize(
    ("passing", "asked"),
    [
        (("north/small",), ["north/small"]),
        (("b/1",), ["north/small", "b/1"]),
        ((), ["north/small", "b/1", "north/large"]),
    ],
)
def test_a_cascade_goes_on_until_its_gate_passes_an_answer(tmp_path, write, passing, asked):
    arm = "cascade/tests/north/small>b/1>north/large|-|-"
    write(tmp_path, arm)
    decision = Client(tmp_path).decide("triage", "u")
    assert (decision.arm, decision.model, decision.gate) == (arm, "north/small", "tests")
    assert decision.escalation == ("b/1", "north/large")
    found = []
    answer = decision.answer(lambda model: found.append(model) or model, lambda answer: answer in passing)
    assert (found, answer) == (asked, asked[-1])
    assert decision.attributes()["flywheel.arm"] == arm


def test_without_a_gate_one_model_is_asked(tmp_path, write):
    write(tmp_path)
    decision = Client(tmp_path).decide("triage", "u")
    assert (decision.gate, decision.escalation) == (None, ())
    assert decision.answer(lambda model: model, lambda _: pytest.fail("no gate, nothing to pass")) == "north/large"
