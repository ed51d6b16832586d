"""Votes are believed as they say until their authors' agreement teaches better, and that is kept on record."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from flywheel_assets.examples.fuse import fuse

SPOKEN = {"labeler_version": "1", "author_version": None, "observed_at": datetime(2026, 11, 20, tzinfo=UTC)}
ALIKE = {"grain": "run", "skill": "s", "labeler": "explicit_feedback", "tier": "human", "confidence": 0.9}


def votes_of(rows, **alike) -> pa.Table:
    """Votes as (example, author, value), with what they have in common."""
    example, author, value = zip(*rows, strict=True)
    same = ALIKE | {"decides": True, "anchor": False} | SPOKEN | alike
    columns = {"example_id": example, "author_id": author, "value": np.array(value, float)}
    return pa.table(columns | {name: [one] * len(rows) for name, one in same.items()})


def told(rng, examples: int, accuracy: dict[str, float]) -> tuple[list[tuple[str, str, float]], dict[str, bool]]:
    truth = {f"run-{number:04d}": bool(rng.random() < 0.6) for number in range(examples)}
    rows = [
        (run, author, float(good if rng.random() < right else not good))
        for run, good in truth.items()
        for author, right in accuracy.items()
    ]
    return rows, truth


AUTHORS = {"ann": 0.95, "bob": 0.9, "cy": 0.6, "dee": 0.55, "eve": 0.55}


def right(labels: pa.Table, truth: dict[str, bool]) -> float:
    return float(np.mean([(row["outcome"] > 0.5) == truth[row["example_id"]] for row in labels.to_pylist()]))


def test_authors_who_are_often_right_are_believed_more_and_the_record_says_so():
    rows, truth = told(np.random.default_rng(1), 400, AUTHORS)
    labels, authors, _ = fuse(votes_of(rows))
    majority = np.mean([(np.mean([v for r, _, v in rows if r == run]) > 0.5) == good for run, good in truth.items()])
    assert right(labels, truth) > majority + 0.03
    found = {row["author_id"]: row for row in authors.to_pylist()}
    assert {row["method"] for row in found.values()} <= {"one_coin", "dawid_skene"}
    assert sum(row["lower"] <= AUTHORS[name] <= row["upper"] for name, row in found.items()) >= 4
    assert found["ann"]["votes"] == 400
    assert found["ann"][f"{found['ann']['method']}_foretells"] > found["ann"]["majority_foretells"]
    assert (found["ann"]["anchors"], found["ann"]["slope"]) == (0, None)
    assert found["ann"]["calibration"].startswith("uncorrected: 0 anchors")


@pytest.mark.parametrize(
    ("examples", "accuracy"), [(20, AUTHORS), (400, {"ann": 0.95}), (400, dict.fromkeys(AUTHORS, 0.5))]
)
def test_votes_count_as_they_say_where_nothing_can_be_learned(examples, accuracy):
    rows, _ = told(np.random.default_rng(2), examples, accuracy)
    labels, authors, _ = fuse(votes_of(rows))
    assert {(row["method"], row["accuracy"], row["glad_foretells"]) for row in authors.to_pylist()} == {
        ("stated", None, None)
    }
    share = pd.DataFrame(rows, columns=["run", "author", "value"]).groupby("run").value.mean()
    assert {row["example_id"]: row["outcome"] for row in labels.to_pylist()} == pytest.approx(share.to_dict())


def test_a_vote_between_for_and_against_keeps_its_example_as_it_says():
    rows, _ = told(np.random.default_rng(1), 400, AUTHORS)
    labels, _, _ = fuse(votes_of([*rows, ("half", "ann", 0.5), ("half", "bob", 1.0)]))
    found = {row["example_id"]: row["outcome"] for row in labels.to_pylist()}
    assert found["half"] == pytest.approx(0.75)
    assert len(set(found.values())) > 3


def test_tiers_are_judged_apart():
    rows, truth = told(np.random.default_rng(1), 300, AUTHORS)
    judged = votes_of([(run, "model", 1.0) for run in truth], tier="judge", confidence=0.7)
    labels, authors, _ = fuse(pa.concat_tables([votes_of(rows), judged]))
    assert {row["tier"] for row in authors.to_pylist()} == {"human"}
    assert set(labels["tier"].to_pylist()) == {"human"}


def test_each_skill_and_grain_is_a_set_of_its_own():
    rng = np.random.default_rng(1)
    good, _ = told(rng, 300, {"ann": 0.95, "bob": 0.75, "cy": 0.75})
    other, _ = told(rng, 300, {"ann": 0.65, "bob": 0.95, "cy": 0.75})
    renamed = [(f"other-{run}", author, value) for run, author, value in other]
    few = [(f"few-{run}", author, value) for run, author, value in good[:30]]
    spans = [(f"span-{run}", author, value) for run, author, value in good]
    parts = (good, {}), (renamed, {"skill": "o"}), (few, {"skill": ""}), (spans, {"grain": "span"})
    labels, authors, _ = fuse(pa.concat_tables([votes_of(rows, **alike) for rows, alike in parts]))
    found = {(row["grain"], row["skill"], row["author_id"]): row for row in authors.to_pylist()}
    assert len(found) == 12
    assert found["run", "s", "ann"]["accuracy"] > found["run", "o", "ann"]["accuracy"] + 0.1
    assert found["run", "", "ann"]["method"] == "stated"
    alone, _, _ = fuse(votes_of(good))
    outcome = dict(zip(labels["example_id"].to_pylist(), labels["outcome"].to_pylist(), strict=True))
    for run, same in zip(alone["example_id"].to_pylist(), alone["outcome"].to_pylist(), strict=True):
        assert outcome[run] == outcome[f"span-{run}"] == same


def asked(truth: dict[str, bool], count: int) -> pa.Table:
    """A person's answers about the first of them, which are drawn at random."""
    return votes_of([(run, "expert", float(good)) for run, good in list(truth.items())[:count]], anchor=True)


@pytest.mark.parametrize(("anchors", "corrected"), [(0, False), (19, False), (60, True)])
def test_anchors_put_right_what_is_said_of_all_others_and_decide_their_own(anchors, corrected):
    rows, truth = told(np.random.default_rng(3), 600, {"model": 0.7})
    said = votes_of(rows, tier="judge", confidence=0.95)
    labels, authors, _ = fuse(pa.concat_tables([said, asked(truth, anchors)] if anchors else [said]))
    found = {row["example_id"]: row for row in labels.to_pylist()}
    own = [found[run] for run in list(truth)[:anchors]]
    assert {row["tier"] for row in own} == ({"human"} if anchors else set())
    assert [row["outcome"] for row in own] == [float(good) for good in list(truth.values())[:anchors]]
    rest = [found[run] for run in list(truth)[anchors:]]
    assert {row["tier"] for row in rest} == {"judge"}
    assert all(row["confidence"] == pytest.approx(max(row["outcome"], 1 - row["outcome"])) for row in rest) == corrected
    sure = np.mean([row["confidence"] for row in rest])
    assert sure == pytest.approx(0.7, abs=0.1) if corrected else sure == pytest.approx(0.95)
    judge = next(row for row in authors.to_pylist() if row["tier"] == "judge")
    assert (judge["anchors"], judge["slope"] is not None) == (anchors, corrected)
    assert judge["calibration"].startswith("corrected" if corrected else "uncorrected")


@pytest.mark.parametrize("answers", [1, 3, 5, 10])
def test_recorded_answers_are_fused_as_well_as_by_the_better_of_majority_and_dawid_skene(shared_data: Path, answers):
    published = {1: 0.726, 3: 0.833, 5: 0.898, 10: 0.9275}
    said = pd.read_csv(shared_data / "crowd" / "answers.csv.gz").query("dataset == 'snow_rte'")
    gold = pd.read_csv(shared_data / "crowd" / "gold.csv").query("dataset == 'snow_rte'").set_index("task").gold
    truth = {f"run-{task}": bool(value) for task, value in gold.items()}
    accuracy = []
    for seed in range(6):
        some = said.sample(frac=1, random_state=seed).groupby("task").head(answers)
        rows = [(f"run-{row.task}", str(row.worker), row.label) for row in some.itertuples() if row.task in gold.index]
        labels, _, _ = fuse(votes_of(rows))
        # A tie says nothing: as good as a coin.
        sure = labels.filter(pa.array([outcome != 0.5 for outcome in labels["outcome"].to_pylist()]))
        ties = labels.num_rows - sure.num_rows
        accuracy.append((right(sure, truth) * sure.num_rows + ties / 2) / labels.num_rows)
    assert np.mean(accuracy) >= published[answers] - 0.005
