"""The desk's queues write what the commands write, and say what cannot be taken."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flywheel_assets.cli.app import app
from flywheel_assets.commands.queues.registry import find_queues
from flywheel_assets.commands.review import refused
from flywheel_assets.defs.approvals import approvals, rollbacks
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.places import Places
from flywheel_assets.receiver.desk.work import UnfitError, Word
from flywheel_assets.sources.framing import records
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets_tests.conftest import DAYS, run_spans


def posted(places: Places) -> list[dict[str, object]]:
    found = []
    for path in sorted(places.inbox.glob("*.feedback.jsonl*")):
        data = path.read_bytes()
        found += [json.loads(data[at : at + size]) for at, size in records(data, "lines", 0, 10**7).ranges]
    return [{name: one[name] for name in one if name != "observed_at"} for one in found]


def ask_for_approval(wheel: WheelResource) -> str:
    """The open trial of the turned wheel, registered as one that asks for approval."""
    lake = wheel.lake()
    ledger = lake.read(PROMOTION_DECISIONS)
    rows = ledger.to_pylist()
    trial = Registration.model_validate_json(rows[-1]["registration_json"]).model_copy(update={"needs_approval": True})
    rows[-1]["registration_json"] = trial.model_dump_json()
    lake.overwrite(PROMOTION_DECISIONS, PROMOTION_DECISIONS.rows(rows))
    return trial.experiment_id


def test_trials_that_ask_for_approval_are_answered_as_the_command_answers(wheel: WheelResource) -> None:
    places = wheel.places()
    queue = find_queues(places)["decisions"]
    (ends,) = queue.listed("").items
    assert ([choice.label for choice in ends.choices], ends.waits) == (["End the trial"], False)
    with pytest.raises(UnfitError, match="asks for approval"):
        queue.take(Word(ends.id, "approve", "ann"))

    experiment = ask_for_approval(wheel)
    (asks,) = queue.listed("").items
    assert (asks.id, [choice.verb for choice in asks.choices], asks.waits) == (experiment, ["approve", "reject"], True)
    assert ("asks for approval", "yes") in asks.facts
    assert "next turn" in queue.take(Word(experiment, "approve", "ann", "looks right"))
    assert approvals(places) == {experiment: True}
    queue.take(Word(experiment, "reject", "bob"))
    words = ["decisions", "approve", experiment, "--by", "ann", "--comment", "looks right", "--data", str(places.data)]
    assert CliRunner().invoke(app, words).exit_code == 0
    desk, _, command = [json.loads(line) for line in (places.data / "approvals.jsonl").read_text().splitlines()]
    assert desk | {"at": ""} == command | {"at": ""}
    assert desk["comment"] == "looks right"


def test_only_what_was_promoted_can_be_rolled_back(wheel: WheelResource) -> None:
    queue = find_queues(wheel.places())["decisions"]
    with pytest.raises(UnfitError, match="nothing of skill 'triage' was promoted"):
        queue.take(Word("triage", "rollback", "ann"))
    with pytest.raises(UnfitError, match="no such answer"):
        queue.take(Word("triage", "promote", "ann"))
    assert rollbacks(wheel.places()) == {}


def test_a_refused_example_is_released_as_the_command_releases(wheel: WheelResource) -> None:
    places = wheel.places()
    # No span says which model did the work: a gate discards them.
    spans = [span for number in range(9) for span in run_spans(DAYS[0] - timedelta(days=1), number)]
    for span in spans:
        span["attributes"] = [one for one in span["attributes"] if one["key"] != "gen_ai.request.model"]
    request = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    (places.inbox / "nameless.jsonl").write_text(json.dumps(request) + "\n")
    assert turn_the_wheel(places).failed == []
    rows = refused(places, "", "", 1.0, 20)
    queue = find_queues(places)["review"]
    page = queue.listed("")
    assert {item.id for item in page.items} == {row["example_id"] for row in rows if row["gate"] != "review"}
    assert page.total == len(page.items)
    assert page.items
    gate, count = page.parts[0]
    assert len(queue.listed(gate).items) == count
    one = page.items[0].id
    queue.take(Word(one, "release", "ann", "seen it"))
    words = ["review", "release", one, "--by", "ann", "--comment", "seen it", "--data", str(places.data)]
    assert CliRunner().invoke(app, words).exit_code == 0
    desk, command = posted(places)[-2:]
    assert desk == command
    with pytest.raises(UnfitError, match="no such answer"):
        queue.take(Word(one, "shred", "ann"))
    with pytest.raises(UnfitError, match="'nobody' was refused"):
        queue.take(Word("nobody", "release", "ann"))


def test_a_data_folder_without_anything_has_empty_queues(tmp_path: Path) -> None:
    for queue in find_queues(Places(tmp_path)).values():
        assert queue.listed("").items == ()
