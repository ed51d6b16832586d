"""What is in the folder that agents load, whatever happens to the writer."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from flywheel_assets.artifacts import channel as channel_module
from flywheel_assets.artifacts import schemas as module
from flywheel_assets.artifacts.channel import Channel
from flywheel_assets.artifacts.publish import publish
from flywheel_assets.artifacts.schemas import schemas
from flywheel_assets.client.client import Client
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.promoted_artifacts import PROMOTED_PROMPTS, PROMOTED_ROUTING
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES

SMALL, LARGE = "north/small|-|-", "north/large|-|-"
NONE = PROMPT_CANDIDATES.empty()
TEXT = "Lessons:\n- Dates are ISO 8601."
VERSION = prompt_version(TEXT)


def prompt_candidate(**changes):
    row = {
        "candidate_id": "c1",
        "skill": "triage",
        "prompt_version": VERSION,
        "text": TEXT,
        "lessons": ["Dates are ISO 8601."],
        "demonstrations": 0,
        "source_run_ids": ["run-1", "run-2"],
        "support": 10.0,
        "state": "proposed",
        "reason": "two failures",
    }
    return PROMPT_CANDIDATES.rows([row | changes])


def entry(seq, **changes):
    row = {
        "seq": seq,
        "entry_id": f"e{seq}",
        "skill": "triage",
        "experiment_id": "exp-1",
        "kind": "registered",
        "candidate_arm": f"north/small|{VERSION}|-",
        "incumbent_arm": SMALL,
        "hash": f"h{seq}",
    }
    return row | changes


def test_the_first_publication_is_the_launch_baseline(tmp_path, skills, grounds, rollout):
    published = publish(tmp_path, {"triage": rollout()}, skills, NONE, grounds)
    row = PROMOTED_ROUTING.conform(published.routing).to_pylist()[0]
    assert (row["version"], row["parent_id"], row["entry_id"], row["current"]) == (1, None, None, True)
    assert row["artifact_id"] == published.pointer.policy_id == Client(tmp_path).policy_id
    assert row["published_at"] == grounds.at
    assert json.loads((tmp_path / "channels/production.json").read_text()) == published.pointer.model_dump()


def test_nothing_is_written_where_nothing_changed(tmp_path, skills, grounds, rollout):
    publish(tmp_path, {"triage": rollout()}, skills, NONE, grounds)
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in tmp_path.rglob("*") if p.is_file()}
    later = replace(grounds, at=grounds.at + timedelta(days=1))
    assert not publish(tmp_path, {"triage": rollout()}, skills, NONE, later).changed
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in tmp_path.rglob("*") if p.is_file()} == before


def test_every_version_stays_and_names_its_entry_and_its_prompt(tmp_path, skills, grounds, rollout, register):
    publish(tmp_path, {"triage": rollout()}, skills, NONE, grounds)
    trial = register(f"north/small|{VERSION}|-", SMALL)
    later = replace(grounds, ledger=PROMOTION_DECISIONS.rows([entry(1), entry(2, kind="held")]))
    published = publish(tmp_path, {"triage": rollout(trials=(trial,))}, skills, prompt_candidate(), later)
    rows = published.routing.to_pylist()
    assert [(r["version"], r["entry_id"], r["current"]) for r in rows] == [(1, None, False), (2, "e1", True)]
    assert rows[1]["parent_id"] == rows[0]["artifact_id"]
    prompt = PROMOTED_PROMPTS.conform(published.prompts).to_pylist()[0]
    assert (prompt["prompt_version"], prompt["version"], prompt["entry_id"], prompt["current"]) == (
        VERSION,
        1,
        "e2",
        True,
    )
    assert json.loads(prompt["document_json"])["source_run_ids"] == ["run-1", "run-2"]
    evidence = json.loads((tmp_path / f"prompts/triage/{VERSION}.evidence.json").read_text())
    assert (evidence["ledger_length"], evidence["ledger_head"], evidence["table_versions"]) == (
        2,
        "h2",
        {"promotion_decisions": 3},
    )


def test_a_published_prompt_stays_as_it_was(tmp_path, skills, grounds, rollout, register):
    states = {"triage": rollout(trials=(register(f"north/small|{VERSION}|-", SMALL),))}
    publish(tmp_path, states, skills, prompt_candidate(), grounds)
    again = publish(tmp_path, states, skills, prompt_candidate(source_run_ids=["run-9"]), grounds)
    assert json.loads(again.prompts.to_pylist()[0]["document_json"])["source_run_ids"] == ["run-1", "run-2"]
    assert publish(tmp_path, states, skills, NONE, grounds).withheld == {}


@pytest.mark.parametrize("candidates", [NONE, prompt_candidate(text="another text"), prompt_candidate(text=None)])
def test_a_skill_whose_prompt_has_no_text_keeps_its_route(  # noqa: PLR0913, PLR0917 - fixtures
    tmp_path, skills, grounds, rollout, register, candidates
):
    before = publish(tmp_path, {"triage": rollout()}, skills, NONE, grounds)
    states = {"triage": rollout(trials=(register(f"north/small|{VERSION}|-", SMALL),))}
    after = publish(tmp_path, states, skills, candidates, grounds)
    assert after.withheld == {"triage": f"no text is known for prompt {VERSION}"}
    assert after.pointer == before.pointer


def test_an_earlier_version_is_restored_byte_for_byte_until_a_decision_changes(
    tmp_path, skills, grounds, rollout, register
):
    first = publish(tmp_path, {"triage": rollout()}, skills, NONE, grounds)
    pointer = (tmp_path / "channels/production.json").read_bytes()
    trial = {"triage": rollout(trials=(register(LARGE, SMALL),))}
    publish(tmp_path, trial, skills, NONE, grounds)
    client = Client(tmp_path)
    Channel(tmp_path).restore(1, grounds.at)
    assert client.refresh()
    assert client.policy_id == first.pointer.policy_id
    assert (tmp_path / "channels/production.json").read_bytes() == pointer
    held = publish(tmp_path, trial, skills, NONE, grounds)
    assert [(r["version"], r["current"]) for r in held.routing.to_pylist()] == [(1, True), (2, False)]
    moved = publish(tmp_path, {"triage": rollout(production_arm=LARGE)}, skills, NONE, grounds)
    assert [(r["version"], r["current"]) for r in moved.routing.to_pylist()] == [(1, False), (2, False), (3, True)]
    with pytest.raises(ValueError, match="no routing document of version 9"):
        Channel(tmp_path).restore(9, grounds.at)


def test_a_document_that_was_changed_by_hand_is_refused(tmp_path, skills, grounds, rollout):
    published = publish(tmp_path, {"triage": rollout()}, skills, NONE, grounds)
    path = tmp_path / published.pointer.path
    path.write_text(path.read_text().replace("0.05", "0.06"))
    with pytest.raises(ValueError, match="was changed after it was published"):
        publish(tmp_path, {"triage": rollout()}, skills, NONE, grounds)


def test_what_a_dead_writer_left_behind_was_never_published(tmp_path, skills, grounds, rollout, register):
    publish(tmp_path, {"triage": rollout()}, skills, NONE, grounds)
    orphan = tmp_path / "routing/2-routing-000000000000.json"
    orphan.write_text("{")
    published = publish(tmp_path, {"triage": rollout(trials=(register(LARGE, SMALL),))}, skills, NONE, grounds)
    assert published.routing.num_rows == 2
    assert not orphan.exists()


def test_a_history_that_lags_behind_the_pointer_is_completed(tmp_path, skills, grounds, rollout, register):
    publish(tmp_path, {"triage": rollout()}, skills, NONE, grounds)
    history = (tmp_path / "channels/production.history.json").read_bytes()
    states = {"triage": rollout(trials=(register(LARGE, SMALL),))}
    publish(tmp_path, states, skills, NONE, grounds)
    (tmp_path / "channels/production.history.json").write_bytes(history)
    assert [r["version"] for r in publish(tmp_path, states, skills, NONE, grounds).routing.to_pylist()] == [1, 2]


def test_two_writers_that_die_before_the_history_lose_nothing_of_it(  # noqa: PLR0913, PLR0917 - fixtures
    tmp_path, skills, grounds, rollout, register, monkeypatch
):
    publish(tmp_path, {"triage": rollout()}, skills, NONE, grounds)
    write = channel_module.write_whole
    for arm in (LARGE, "south/mid|-|-"):
        history = tmp_path / "channels/production.history.json"
        pointed = []

        def dies(path, content, pointed=pointed, history=history):
            if path == history and pointed:
                raise KeyboardInterrupt
            pointed.extend([path] if path.name == "production.json" else [])
            return write(path, content)

        monkeypatch.setattr(channel_module, "write_whole", dies)
        with pytest.raises(KeyboardInterrupt):
            publish(tmp_path, {"triage": rollout(trials=(register(arm, SMALL),))}, skills, NONE, grounds)
    monkeypatch.undo()
    published = publish(tmp_path, {"triage": rollout(production_arm=LARGE)}, skills, NONE, grounds)
    assert [row["version"] for row in published.routing.to_pylist()] == [1, 2, 3, 4]


def test_documents_validate_against_their_schemas(tmp_path, skills, grounds, rollout, register):
    states = {"triage": rollout(trials=(register(f"north/small|{VERSION}|-", SMALL),))}
    published = publish(tmp_path, states, skills, prompt_candidate(), grounds)
    files = {
        "routing": tmp_path / published.pointer.path,
        "channel": tmp_path / "channels/production.json",
        "prompt": tmp_path / f"prompts/triage/{VERSION}.json",
        "evidence": tmp_path / f"prompts/triage/{VERSION}.evidence.json",
    }
    for name, path in files.items():
        schema = json.loads((tmp_path / f"schema/{name}.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        document = json.loads(path.read_text())
        jsonschema.validate(document, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document | {"unknown": 1}, schema)


def test_the_schemas_in_the_package_are_those_of_the_models():
    folder = Path(module.__file__).parent / "schema"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == schemas()


WRITER = """
import sys, itertools
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import NOW, Rollout, registration
from flywheel_assets.artifacts.evidence import Grounds
from flywheel_assets.artifacts.publish import publish
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES

skills = SkillsFile(skills={"triage": Skill(baseline_model="north/small", models=("north/large",))})
grounds = Grounds(PROMOTION_DECISIONS.empty(), {}, NOW)
print("ready", flush=True)
for n in itertools.count():
    text = f"{sys.argv[3]} prompt {n} " * 2000
    row = dict(candidate_id="c", skill="triage", prompt_version=prompt_version(text), text=text, lessons=[],
               demonstrations=0, source_run_ids=[], support=1.0, state="proposed", reason="-")
    trial = registration(f"north/small|{prompt_version(text)}|-", "north/small|-|-", name=f"exp-{sys.argv[3]}-{n}")
    publish(Path(sys.argv[1]), {"triage": Rollout(trials=(trial,))}, skills, PROMPT_CANDIDATES.rows([row]), grounds)
"""


def test_a_writer_that_is_killed_never_leaves_half_a_publication(tmp_path, skills, grounds, rollout):
    """Killed at 12 different moments; a reader that polls all the while always gets a whole policy."""
    publish(tmp_path, {"triage": rollout()}, skills, NONE, grounds)
    client = Client(tmp_path)
    here, seen = str(Path(__file__).parent), set()
    for attempt in range(12):
        command = [sys.executable, "-c", WRITER, str(tmp_path), here, str(attempt)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert writer.stdout.readline() == b"ready\n"
        before, limit, end = client.policy_id, time.monotonic() + 60, None
        # From its first publication on, each writer lives a little longer than the one before.
        while time.monotonic() < (end or limit):
            assert client.refresh(), client.problem
            seen.add(client.policy_id)
            if end is None and client.policy_id != before:
                end = time.monotonic() + attempt * 0.013
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert Client(tmp_path).problem is None
    published = publish(tmp_path, {"triage": rollout()}, skills, NONE, grounds)
    versions = [row["version"] for row in published.routing.to_pylist()]
    assert versions == list(range(1, len(versions) + 1))
    assert len(seen) >= 12
