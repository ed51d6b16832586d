"""Authors who only say what they found are believed as far as a reference bears it out, and one family once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_assets.examples.named import Named, Reference, families, likely, probabilities

JUDGE = {"gen_ai.evaluation.name": "Formatting Errors", "flywheel.evaluator.kind": "llm"}
FAILED = {"gen_ai.evaluation.name": "reward", "flywheel.label.source_tier": "check", "flywheel.evaluator.id": "db"}


def world(runs: int = 60, each: int = 40) -> tuple[Named, Reference]:
    """Every tenth item is an error. Author 0 names most errors; 1 to 3 are one parrot, that names what is none."""
    rng = np.random.default_rng(5)
    run = np.repeat(np.arange(runs), each)
    truth = rng.random(len(run)) < 0.1
    good = np.where(truth, rng.random(len(run)) < 0.6, rng.random(len(run)) < 0.03)
    parrot = ~truth & (rng.random(len(run)) < 0.1)
    names = np.array([good, *(parrot & (rng.random((3, len(run))) < 0.9))])
    shown = np.where(truth, rng.random(len(run)) < 0.4, rng.random(len(run)) < 0.1)
    return Named(names, np.ones((4, runs), bool), run), Reference(truth, np.zeros(runs, bool), shown)


def test_authors_that_name_the_same_are_one_family():
    assert families(world()[0]).tolist() == [0, 1, 1, 1]


def test_authors_are_compared_where_both_looked():
    named, _ = world()
    answered = named.answered.copy()
    answered[1, :30] = answered[2, 30:] = False
    names = named.names & answered[:, named.run]
    assert families(Named(names, answered, named.run)).tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize("looked", [0, 60], ids=["signs", "people"])
def test_a_family_however_large_is_believed_as_far_as_the_reference_bears_it_out(looked: int):
    named, reference = world()
    reference = Reference(reference.marked, np.arange(60) < looked, reference.shown)
    chance = probabilities(named, reference)
    good, parrot = named.names[0], named.names[1:].any(axis=0)
    assert chance[good].min() > 2 * chance[parrot & ~good].max()
    assert np.all(chance[~good & ~parrot] == 0)
    shown = likely(chance, 0.6)
    assert reference.marked[shown].mean() > 0.5
    assert (shown & reference.marked).sum() > 0.5 * reference.marked.sum()


def test_people_who_looked_through_too_few_runs_are_no_reference_yet():
    named, reference = world()
    few = Reference(np.zeros_like(reference.marked), np.arange(60) < 9, reference.shown)
    assert probabilities(named, few) == pytest.approx(probabilities(named, reference))


@given(st.lists(st.floats(0, 1), max_size=40), st.floats(0.01, 1))
def test_what_is_shown_is_likelier_than_what_is_not(chance: list[float], found: float):
    chances = np.array(chance)
    shown = likely(chances, found)
    assert chances[shown].min(initial=1) > chances[~shown].max(initial=-1) or not shown.any()
    assert shown.any() == bool(len(chances))


def test_nobody_names_anything():
    nothing = np.zeros(0, bool)
    empty = Named(np.zeros((0, 0), bool), np.zeros((0, 0), bool), np.zeros(0, np.int64))
    assert probabilities(empty, Reference(nothing, nothing, nothing)).size == 0


def test_judges_and_people_name_errors_by_statements_on_spans(labels, span):
    root = {"operation": "agent", "dialect": "gen_ai", "service_name": "s"}
    llm = {"operation": "llm", "dialect": "gen_ai"}
    end = {**FAILED, "gen_ai.evaluation.score.value": 0}
    bad = {**JUDGE, "flywheel.evaluator.id": "j", "gen_ai.evaluation.score.value": 0}
    person = {**bad, "flywheel.evaluator.id": "ada", "flywheel.evaluator.kind": "human"}
    fine = {**bad, "gen_ai.evaluation.score.value": 1}
    other = {**bad, "gen_ai.evaluation.name": "relevance"}
    spans = [span("a", events=(end,), **root), span("b", "a", at=1, events=(bad, person), **llm)]
    spans += [span("c", "a", at=2, events=(fine,), **llm), span("d", "a", at=3, events=(other,), **llm)]
    rows = labels(spans).found
    assert {(row["span_id"], row["kind"], row["tier"], row["author_id"]) for row in rows} == {
        ("b", "Formatting Errors", "judge", "j"),
        ("b", "Formatting Errors", "human", "ada"),
    }
    assert all(row["probability"] >= 0.9 for row in rows)
