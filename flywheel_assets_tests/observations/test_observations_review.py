"""A person may release what a gate refused and refuse what it allowed, and is named for it."""

from collections.abc import Callable
from datetime import timedelta

import pytest


def said(example: dict, text: str, minute: int = 0, **given) -> dict:
    when = example["start_time"] + timedelta(days=1, minutes=minute)
    row = {"day": when.date(), "feedback_id": f"{text}-{minute}", "target_kind": "run", "target_id": example["run_id"]}
    who = {"name": "flywheel.review", "value_text": text, "tier": "human", "author_id": "ann"}
    return row | who | {"observed_at": when, "source": "posted"} | given


UNSURE = {"confidence": 0.5, "weight": 0.0}


@pytest.mark.parametrize(
    ("facts", "statements", "expected"),
    [
        (UNSURE, [], ("held", "label_confidence")),
        (UNSURE, [("release", 0)], "admitted"),
        (UNSURE, [("release", 0), ("refuse", 1)], ("discarded", "review")),
        (UNSURE, [("refuse", 0), ("release", 1)], "admitted"),
        ({}, [("refuse", 0)], ("discarded", "review")),
        ({"outcome": None, "outcome_state": "missing"}, [("release", 0)], ("held", "completeness")),
        ({"outcome": 7.0}, [("release", 0)], ("discarded", "schema")),
    ],
    ids=["held", "released", "refused later", "released later", "refused", "nothing to admit", "no outcome at all"],
)
def test_the_newest_word_of_a_person_decides(example: Callable, admitted: Callable, facts, statements, expected):
    row = example(**facts)
    verdicts, gated, rejected = admitted([row], feedback=[said(row, *statement) for statement in statements])
    found = [(one["state"], one["gate"]) for one in rejected.to_pylist()]
    assert found == ([] if expected == "admitted" else [expected])
    assert gated.num_rows == (expected == "admitted")
    if expected == "admitted":
        assert "released" in gated.to_pylist()[0]["remarks"]
        (verdict,) = [one for one in verdicts.to_pylist() if one["gate"] == "review"]
        assert verdict["detail"] == "released by ann"


@pytest.mark.parametrize(
    "given", [{"tier": "judge"}, {"author_id": "unregistered"}, {"name": "thumbs"}, {"target_id": "another"}]
)
def test_only_a_named_person_releases(example: Callable, admitted: Callable, given):
    row = example(**UNSURE)
    assert admitted([row], feedback=[said(row, "release", **given)])[2].num_rows == 1


def test_a_release_takes_no_redaction_back(example: Callable, admitted: Callable):
    row = example(input_text="password=hunter22x", **UNSURE)
    (gated,) = admitted([row], feedback=[said(row, "release")])[1].to_pylist()
    assert gated["redacted"]
    assert "hunter22x" not in gated["input_text"]
