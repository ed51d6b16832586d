"""Recorded matrices are read by what their columns mean, and replayed without a look at what was not drawn."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from flywheel_assets.cli.app import app
from flywheel_assets.replay.cascading import Rules, judged, replay_cascade
from flywheel_assets.replay.contextual import Settings, replay
from flywheel_assets.replay.matrix import Matrix, Reading, read
from flywheel_assets.replay.measures import apgr, cpt, largest_fall, mean, slope
from flywheel_assets.replay.trials import replay_trials
from flywheel_assets.tables.documents.skills_file import Skill


def planted(n: int = 1200, seed: int = 5) -> Matrix:
    """Only the dear arm can prove; the words say which request asks for a proof."""
    rng = np.random.default_rng(seed)
    hard = rng.random(n) < 0.4
    outcome = np.c_[rng.random(n) < np.where(hard, 0.2, 0.9), rng.random(n) < 0.9].astype(float)
    texts = tuple(f"{'prove' if one else 'say'} thing {at % 50}" for at, one in enumerate(hard))
    nothing = np.full((n, 2), np.nan)
    cost = np.tile([0.1, 1.0], (n, 1))
    return Matrix(tuple(map(str, range(n))), ("cheap", "dear"), outcome, cost, nothing, texts, ({},) * n)


LONG = "task_id,model,success,cost_usd\n1,a,1,0.5\n1,b,0,2\n2,b,1,2\n"
WIDE = "prompt,x_correct,y_correct\nhello,1,0\nyou,0,0\n"
RATES = "variant,acc\np,0.25\nq,0.5\n"
TIMED = """{"id":"a","arm":"m","outcome":1,"date":"2024-02-01"}
{"id":"b","arm":"m","outcome":0,"date":"2024-01-01"}
"""


@pytest.mark.parametrize(
    ("name", "text", "arms", "outcome"),
    [
        ("long.csv", LONG, ("a", "b"), [[1, 0], [np.nan, 1]]),
        ("wide.csv", WIDE, ("x", "y"), [[1, 0], [0, 0]]),
        ("rates.csv", RATES, ("p", "q"), [[0.25, 0.5]]),
        ("timed.jsonl", TIMED, ("m",), [[0], [1]]),
    ],
    ids=["long", "wide", "rates", "timed"],
)
def test_a_matrix_is_read_by_what_its_columns_mean(tmp_path, name, text, arms, outcome):
    (tmp_path / name).write_text(text)
    matrix = read(tmp_path / name)
    assert matrix.arms == arms
    np.testing.assert_array_equal(matrix.outcome, np.array(outcome, dtype=float))
    assert (matrix.rates, matrix.ordered) == (name == "rates.csv", name == "timed.jsonl")


def test_context_is_text_numbers_or_lists_of_numbers(tmp_path):
    (tmp_path / "told.jsonl").write_text(
        """{"id":"a","arm":"m","outcome":1,"kind":"x","size":2,"vector":[0.5,1],"words":["p"],"flag":true}
{"id":"b","arm":"m","outcome":0,"kind":null,"size":2.5,"vector":[0.25,2],"words":["q"],"flag":false}
"""
    )
    found = read(tmp_path / "told.jsonl", Reading(context=("kind", "size", "vector", "words", "flag"))).contexts
    assert found == (
        {"kind": "x", "size": 2.0, "vector": [0.5, 1.0], "words": "['p']", "flag": "True"},
        {"size": 2.5, "vector": [0.25, 2.0], "words": "['q']", "flag": "False"},
    )


@pytest.mark.parametrize(
    ("reading", "fault"),
    [
        (Reading(), "no column for arm or outcome"),
        (Reading(columns={"arm": "nowhere"}), "has no column nowhere"),
        (Reading(where="a > 5"), "no row"),
    ],
)
def test_what_is_no_matrix_is_refused_with_its_reason(tmp_path, reading, fault):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=fault):
        read(tmp_path / "x.csv", reading)


def test_the_learner_beats_hindsight_where_words_tell_and_not_where_outcomes_are_dealt_out_anew():
    found = replay(planted(), Settings(budget=0.4, every=300), 0)
    control = replay(planted(), Settings(budget=0.4, every=300, permuted=True), 0)
    assert found.artifacts[-1].value > found.static + 0.08
    assert control.artifacts[-1].value < control.static + 0.04
    assert found.budget is not None
    assert all(artifact.cost <= found.budget * 1.1 for artifact in found.artifacts)


def test_only_what_was_drawn_is_ever_looked_at():
    matrix = planted(600)
    seen = replay(matrix, Settings(budget=0.4, every=200), 1)
    again = replay(matrix, Settings(budget=0.4, every=200), 1)
    assert seen == again


def test_trials_promote_the_better_prompt_and_never_an_equal_one():
    empty = np.full((1, 3), np.nan)
    matrix = Matrix(
        ("rates",), ("old", "same", "good"), np.array([[0.4, 0.4, 0.8]]), empty, empty, ("",), ({},), rates=True
    )
    picked = replay_trials(matrix, Skill(baseline_model="old", models=("same", "good")), 1500, 0)
    assert (picked.arm, picked.wrong) == ("good|-|-", 0)
    assert picked.promotions[0][1] == "good|-|-"
    assert picked.obtained > 0.4


def test_a_cascade_is_as_good_as_its_dear_arm_at_less_cost():
    rng = np.random.default_rng(0)
    right = np.c_[rng.random(800) < 0.75, rng.random(800) < 0.93].astype(float)
    gate = np.where(rng.random((800, 2)) < 0.1, 1.0, right)
    cost = np.tile([0.001, 0.01], (800, 1))
    matrix = Matrix(tuple(map(str, range(800))), ("cheap", "dear"), right, cost, gate, ("",) * 800, ({},) * 800)
    found = replay_cascade(matrix, Rules(0.005), 1)
    assert found.arms == ("cheap", "dear")
    assert found.cost < 0.0045
    assert found.value > 0.95
    assert judged(matrix, ("dear",), np.arange(800))[1] == pytest.approx(0.01)


def test_published_measures():
    chance = [(0.0, 0.5), (0.5, 0.6), (1.0, 0.7)]
    assert apgr(chance, 0.5, 0.7) == pytest.approx(0.5)
    assert cpt(chance, 0.5, 0.7, 0.5) == pytest.approx(0.5)
    assert cpt([(0.0, 0.5), (1.0, 0.55)], 0.5, 0.7, 0.8) is None
    assert largest_fall([1, 3, 2, 4, 1]) == 3
    assert slope([1.0, 1.5, 2.0]) == pytest.approx(0.5)
    found = mean([1.0, 2.0, 3.0])
    assert (found.value, round(found.upper or 0, 4)) == (2.0, 4.4841)
    assert mean([1.0]).lower is None


def test_the_command_writes_a_page_that_needs_nothing_beside_it(tmp_path):
    rows = ["item,arm,outcome,text,cost"]
    matrix = planted(300)
    for at, text in enumerate(matrix.texts):
        rows += [f"{at},{arm},{matrix.outcome[at, n]},{text},{matrix.cost[at, n]}" for n, arm in enumerate(matrix.arms)]
    (tmp_path / "m.csv").write_text("\n".join(rows))
    arguments = ["replay", str(tmp_path / "m.csv"), "--out", str(tmp_path), "--seeds", "2", "--budget", "0.5", "--json"]
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 0, answer.output
    page = (tmp_path / "m.html").read_text()
    assert page.count("<svg") == 2
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )
    assert json.loads((tmp_path / "m.json").read_text())["plans"][0]["runs"] == 225
