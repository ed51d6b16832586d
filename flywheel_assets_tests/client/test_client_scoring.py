"""Contextual policies: the client, the document model and the JavaScript reference choose alike."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_assets.client.client import Client
from flywheel_assets.client.scoring import ready
from flywheel_assets.tables.documents.scorer import Scorer

DOCS = Path(__file__).parents[2] / "docs"
VECTORS = json.loads((DOCS / "decision-vectors.json").read_text())
SCORER = Scorer.model_validate(VECTORS["scorer"])
SCORED = "scored/0123456789ab|-|-"
SCRIPT = """
import { readFileSync } from "node:fs";
import { attributes, load, scored } from "./decide.mjs";
const vectors = JSON.parse(readFileSync("./decision-vectors.json", "utf8"));
const loaded = load(process.argv[1]);
console.log(JSON.stringify({
  arms: vectors.scored.map((v) => scored(vectors.scorer, v.text, v.context)),
  attributes: vectors.scored.map((v, n) => attributes(loaded, "triage", `ticket-${n}`, v.text, v.context)),
}));
"""


@pytest.fixture
def published(tmp_path, write):
    """A document whose canary is a contextual policy; its production arm is one of those it chooses among."""
    trial = [
        {"name": "canary", "arm": SCORED, "share": 0.4},
        {"name": "production", "arm": "north/large|-|-", "share": 0.6},
    ]
    write(tmp_path, holdout=0.1, trial=trial, experiment_id="exp-1", scorers={SCORED: VECTORS["scorer"]})
    return tmp_path


@pytest.mark.parametrize("vector", VECTORS["scored"], ids=range(len(VECTORS["scored"])))
def test_model_and_client_agree_with_the_vectors(vector):
    assert SCORER.scores(vector["text"], vector["context"]) == vector["scores"]
    assert ready(VECTORS["scorer"]).choose(vector["text"], vector["context"]) == vector["arm"]


SAID = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
CONTEXTS = st.dictionaries(
    st.sampled_from(["tier", "größe", "#length", "spent", "meaning"]),
    SAID | st.lists(SAID | st.floats(-1, 1), min_size=1, max_size=4),
)


@given(st.text(), CONTEXTS)
def test_client_and_model_choose_alike_whatever_is_asked(text, context):
    assert ready(VECTORS["scorer"]).choose(text, context) == SCORER.choose(text, context)


def test_the_propensity_is_that_of_the_arm_which_the_policy_stands_for(published):
    client = Client(published)
    for n, vector in enumerate(VECTORS["scored"]):
        decision = client.decide("triage", f"ticket-{n}", vector["context"], text=vector["text"])
        shares = json.loads(decision.candidate_set or "{}")
        assert sum(shares.values()) == pytest.approx(1)
        assert decision.propensity == shares[decision.arm]
        if decision.segment == "canary":
            assert (decision.arm, decision.model) == (vector["arm"], vector["arm"].split("|")[0])
            assert decision.propensity >= 0.4 * 0.9
            assert decision.experiment_id is not None


def test_a_context_that_is_none_never_raises_into_the_agent(published):
    client = Client(published, default_model="own/model")
    decisions = [client.decide("triage", f"t-{n}", text=b"bytes") for n in range(50)]  # pyright: ignore[reportArgumentType]
    assert {decision.segment for decision in decisions} == {"default"}
    assert "AttributeError" in (client.problem or "")


def test_the_reference_in_javascript_agrees(published):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on the path")
    command = [node, "--input-type=module", "-e", SCRIPT, str(published)]
    answer = json.loads(subprocess.run(command, cwd=DOCS, capture_output=True, text=True, check=True).stdout)
    assert answer["arms"] == [vector["arm"] for vector in VECTORS["scored"]]
    client = Client(published)
    for n, (theirs, vector) in enumerate(zip(answer["attributes"], VECTORS["scored"], strict=True)):
        ours = client.decide("triage", f"ticket-{n}", vector["context"], text=vector["text"]).attributes()
        left_out = {"flywheel.decision.id": None, "flywheel.context": None}
        assert {**ours, **left_out} == {**theirs, **left_out}
