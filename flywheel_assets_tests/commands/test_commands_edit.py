"""`flywheel edit`, through GEPA and LiteLLM, over HTTP to a model of our own: budget, pools, log, and what is left."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from flywheel_assets.candidates.prompts.edit import MOST_GATE, agreement, pools
from flywheel_assets.candidates.prompts.material import usable
from flywheel_assets.cli.app import app
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES
from flywheel_assets_tests.model_server import Message, Model, served

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
PROMPT = "Sort the ticket {ticket}."
BETTER = f"{PROMPT} Answer with the category's number alone."
DAY = datetime(2026, 3, 1, tzinfo=UTC)


class Sorter:
    """Sorts well when told how to answer; asked to reflect, it writes `proposes`."""

    proposes = BETTER

    def __call__(self, messages: list[Message]) -> str:
        first, *others = messages
        if not others:
            return f"Thinking.\n```\n{self.proposes}\n```"
        number = others[0]["content"].split()[1]
        told = "number alone" in first["content"]
        return f"category {int(number) % 4}" if told else "I would say it is about money."


@pytest.fixture
def sorter() -> Sorter:
    return Sorter()


@pytest.fixture
def model(sorter: Sorter) -> Iterator[Model]:
    with served(sorter) as found:
        yield found


def observation(number: int) -> dict[str, object]:
    return {
        "day": DAY.date(),
        "run_id": f"run-{number:03d}",
        "trace_id": "t",
        "root_span_id": "s",
        "runtime": "gen_ai",
        "start_time": DAY + timedelta(minutes=number),
        "session_id": f"session-{number // 2}",
        "skill": "triage",
        "prompt_version": prompt_version(PROMPT),
        "status": "ok",
        "input_text": f"ticket {number} is wrong",
        "output_text": f"category {number % 4}",
        "example_id": f"run-{number:03d}",
        "grain": "run",
        "outcome": float(number % 5 > 0),
        "outcome_state": "labeled",
        "confidence": 0.95,
        "weight": 0.9,
        "labelers": [],
        "votes": 1,
        "dissent": 0,
        "redacted": False,
        "remarks": [],
    }


ROWS = [observation(number) for number in range(60)]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    stated = {"skills": {"triage": {"baseline_model": "m", "baseline_prompt": PROMPT}}}
    (tmp_path / "skills.yaml").write_text(yaml.safe_dump(stated))
    found = Places(tmp_path)
    Lake(found.lake).overwrite(GATED_OBSERVATIONS, GATED_OBSERVATIONS.rows(ROWS), DAY.date())
    return found


def call(places: Places, model: Model, *words: str) -> tuple[int, dict]:
    options = ["--model", "openai/stub", "--base", model.base, "--data", str(places.data), "--json", *words]
    done = CliRunner().invoke(app, ["edit", "triage", *options])
    return done.exit_code, json.loads(done.stdout)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "made-up")
    monkeypatch.delenv("FLYWHEEL_EDIT_MODEL", raising=False)


def consultations(places: Places) -> list[dict]:
    log = places.prompts / "consultations.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_what_the_model_writes_is_a_variant_and_the_wheel_takes_it_for_a_candidate(places: Places, model: Model):
    code, answer = call(places, model)
    found = answer["result"]
    assert (code, found["fault"]) == (0, None)
    assert (found["incumbent_score"], found["score"]) == (pytest.approx(0, abs=0.2), 1.0)
    assert found["calls"] == len(model.seen) <= found["budget"]
    file = places.prompts / "triage" / f"edited-{prompt_version(BETTER)}.md"
    assert file.read_text() == BETTER
    (logged,) = consultations(places)
    assert logged["passed"]
    assert logged["prompt_version"] == prompt_version(BETTER)
    # The whole wheel: the file becomes a row, and the decisions register it.
    assert turn_the_wheel(places).failed == []
    rows = {row["prompt_version"]: row for row in Lake(places.lake).read(PROMPT_CANDIDATES).to_pylist()}
    assert rows[prompt_version(BETTER)]["state"] == "proposed"
    assert rows[prompt_version(BETTER)]["text"] == BETTER


def test_the_optimiser_sees_the_training_pool_alone(places: Places, model: Model):
    call(places, model)
    found = pools(usable(GATED_OBSERVATIONS.rows(ROWS).to_pylist()))
    gate, training = ({run.question for run in pool} for pool in (found.gate, found.training))
    assert not {run.session for run in found.gate} & {run.session for run in found.training}
    said = [" ".join(one["content"] for one in body["messages"]) for body in model.seen]
    last_of_training = max(at for at, text in enumerate(said) if any(question in text for question in training))
    about_gate = [at for at, text in enumerate(said) if any(question in text for question in gate)]
    # The gate is asked after the last word of the optimiser, about two texts, once each.
    assert min(about_gate) > last_of_training
    assert len(about_gate) == 2 * len(gate) <= 2 * MOST_GATE
    # Runs that failed are no answers to learn from.
    assert not any(f"ticket {number} is" in text for text in said for number in range(0, 60, 5))


@pytest.mark.parametrize(
    ("proposes", "fault"),
    [
        ("Sort it with care: {ticket}", "nothing better was found"),
        ("Answer with the number alone.", "lacks {ticket}"),
        (f"{BETTER} password=Tr0ub4dor&3xQz9", "secret"),
        (f"{BETTER} {'x' * 20_000}", "characters long"),
    ],
    ids=["no better", "place lost", "secret", "too long"],
)
def test_what_is_no_use_or_unfit_is_left_nowhere(
    places: Places, model: Model, sorter: Sorter, proposes: str, fault: str
):
    sorter.proposes = proposes
    _, answer = call(places, model, "--budget", "200")
    assert fault in answer["result"]["fault"]
    assert [path for path in places.prompts.rglob("*") if path.is_file()] == []


def test_a_budget_is_kept_whatever_comes_of_it(places: Places, model: Model):
    code, answer = call(places, model, "--budget", "30")
    assert code == 0
    assert answer["result"]["file"] is None
    assert len(model.seen) <= 30


def test_nothing_is_asked_without_a_model_or_with_too_little_to_learn_from(places: Places, model: Model):
    code, answer = call(places, model, "--model", "")
    assert (code, answer["ok"]) == (4, False)
    assert "no model is configured" in json.dumps(answer["error"])
    Lake(places.lake).overwrite(GATED_OBSERVATIONS, GATED_OBSERVATIONS.rows(ROWS[:10]), DAY.date())
    assert "too few" in json.dumps(call(places, model)[1]["error"])
    assert model.seen == []


def test_one_gate_pool_is_not_asked_without_end(places: Places, model: Model):
    call(places, model)
    log = places.prompts / "consultations.jsonl"
    log.write_bytes(log.read_bytes() * 10)
    model.seen.clear()
    assert "was asked 10 times" in json.dumps(call(places, model)[1]["error"])
    assert model.seen == []


@pytest.mark.parametrize(
    ("expected", "answer", "score"),
    [("Category 1", "category 1.", 1), ("a b", "a c", 0.5), ("a", "b", 0), ("", "", 1), ("a", "", 0)],
)
def test_agreement_is_about_words(expected: str, answer: str, score: float):
    assert agreement(expected, answer) == score
