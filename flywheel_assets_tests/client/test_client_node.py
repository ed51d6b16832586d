"""The reference in JavaScript decides as the Python client does."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from flywheel_assets.client.client import Client

DOCS = Path(__file__).parents[2] / "docs"
VECTORS = json.loads((DOCS / "decision-vectors.json").read_text())
SCRIPT = """
import { readFileSync } from "node:fs";
import { attributes, choose, draw, load, steps } from "./decide.mjs";
const vectors = JSON.parse(readFileSync("./decision-vectors.json", "utf8"));
const loaded = load(process.argv[1]);
console.log(JSON.stringify({
  draws: vectors.draws.map((v) => draw(v.salt, v.skill, v.unit)),
  steps: vectors.cascades.map((v) => steps(v.arm)),
  decisions: vectors.decisions.map((v) => choose(vectors.route, v.skill, v.unit)),
  attributes: [...Array(200).keys()].map((n) => attributes(loaded, "triage", `ticket-${n}`)),
}));
"""


def test_the_reference_in_javascript_agrees(tmp_path, write):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on the path")
    write(tmp_path, holdout=0.3)
    command = [node, "--input-type=module", "-e", SCRIPT, str(tmp_path)]
    answer = json.loads(subprocess.run(command, cwd=DOCS, capture_output=True, text=True, check=True).stdout)
    assert answer["draws"] == [vector["draw"] for vector in VECTORS["draws"]]
    for found, vector in zip(answer["decisions"], VECTORS["decisions"], strict=True):
        assert (found["segment"], found["arm"]) == (vector["segment"], vector["arm"])
        assert found["propensity"] == pytest.approx(vector["propensity"], abs=1e-12)
    assert answer["steps"] == [{"gate": vector["gate"], "models": vector["models"]} for vector in VECTORS["cascades"]]
    client = Client(tmp_path)
    for n, theirs in enumerate(answer["attributes"]):
        ours = client.decide("triage", f"ticket-{n}").attributes()
        assert {**ours, "flywheel.decision.id": None} == {**theirs, "flywheel.decision.id": None}
