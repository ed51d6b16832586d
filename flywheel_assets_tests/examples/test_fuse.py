"""Votes become one label: tables of votes and what comes of them."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_assets.examples.fuse import fuse

SCHEMA = pa.schema(
    [
        ("example_id", pa.string()),
        ("grain", pa.string()),
        ("skill", pa.string()),
        ("labeler", pa.string()),
        ("author_id", pa.string()),
        ("tier", pa.string()),
        ("value", pa.float64()),
        ("confidence", pa.float64()),
        ("decides", pa.bool_()),
        ("anchor", pa.bool_()),
    ]
)


def fused(votes):
    """Votes as (example, tier, value, confidence, decides)."""
    rows = [
        {
            "example_id": e,
            "grain": "run",
            "skill": "s",
            "labeler": f"l{n}",
            "author_id": f"l{n}",
            "tier": t,
            "value": v,
            "confidence": c,
            "decides": d,
            "anchor": False,
        }
        for n, (e, t, v, c, d) in enumerate(votes)
    ]
    table, _, _ = fuse(pa.Table.from_pylist(rows, schema=SCHEMA))
    return {row["example_id"]: row for row in table.to_pylist()}


# (tier, value, confidence, decides)… and (outcome, confidence, tier, votes, dissent).
CASES = {
    "a lone vote is taken as it is": ([("check", 1.0, 0.98, True)], (1.0, 0.98, "check", 1, 0)),
    "whatever its value": ([("judge", 0.5, 0.7, True)], (0.5, 0.7, "judge", 1, 0)),
    "the highest tier decides, the others dissent or not": (
        [("human", 0.0, 0.9, True), ("check", 1.0, 0.98, True), ("heuristic", 0.0, 0.6, True)],
        (0.0, 0.9, "human", 3, 1),
    ),
    "agreement makes surer: odds multiply": (
        [("judge", 1.0, 0.7, True), ("judge", 1.0, 0.7, True)],
        (1.0, 0.49 / (0.49 + 0.09), "judge", 2, 0),
    ),
    "a majority wins by the odds that remain": (
        [("judge", 1.0, 0.7, True), ("judge", 1.0, 0.7, True), ("judge", 0.0, 0.7, True)],
        (2 / 3, 0.7, "judge", 3, 1),
    ),
    "a tie says nothing": ([("judge", 1.0, 0.7, True), ("judge", 0.0, 0.7, True)], (0.5, 0.5, "judge", 2, 0)),
    "the surer vote weighs more": (
        [("human", 1.0, 0.95, True), ("human", 0.0, 0.6, True)],
        (0.9 / 1.1, (0.95 / 0.05) * (0.4 / 0.6) / (1 + (0.95 / 0.05) * (0.4 / 0.6)), "human", 2, 1),
    ),
    "many votes are not certainty": ([("judge", 0.0, 0.9, True)] * 5, (0.0, 0.99, "judge", 5, 0)),
    "near scores support one another": (
        [("judge", 0.7, 0.7, True), ("judge", 0.8, 0.7, True)],
        (0.75, 1 / (1 + (3 / 7) ** 1.8), "judge", 2, 0),
    ),
    "one-sided votes decide nothing": ([("heuristic", 0.0, 0.6, False)], (None, None, None, 1, 0)),
    "nor do they weaken what was decided": (
        [("heuristic", 1.0, 0.6, True), ("heuristic", 0.0, 0.6, False), ("heuristic", 0.0, 0.6, False)],
        (1.0, 0.6, "heuristic", 3, 2),
    ),
    "an unregistered human does not outrank a check": (
        [("human", 0.0, 0.5, False), ("check", 1.0, 0.98, True)],
        (1.0, 0.98, "check", 2, 1),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_votes_fuse(case):
    votes, (outcome, confidence, tier, count, dissent) = CASES[case]
    # Other examples beside it change nothing.
    row = fused([("a", "human", 1.0, 0.9, True), *(("e", *vote) for vote in votes), ("z", "judge", 0.0, 0.7, True)])[
        "e"
    ]
    assert row["outcome"] == (None if outcome is None else pytest.approx(outcome))
    assert row["confidence"] == (None if confidence is None else pytest.approx(confidence))
    assert row["weight"] == (None if confidence is None else pytest.approx(2 * confidence - 1))
    assert (row["tier"], row["votes"], row["dissent"]) == (tier, count, dissent)


def test_no_votes_fuse_to_nothing():
    assert fused([]) == {}


VOTES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["human", "check", "judge", "heuristic"]),
        st.sampled_from([0.0, 0.25, 0.5, 1.0]),
        st.sampled_from([0.55, 0.6, 0.7, 0.9, 0.98]),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(VOTES)
def test_good_and_bad_are_mirror_images(votes):
    """If every vote said the opposite, so would the label, as surely: no side is favoured."""
    plain = fused(votes)
    mirrored = fused([(e, t, 1 - v, c, d) for e, t, v, c, d in votes])
    assert plain.keys() == mirrored.keys()
    for key, row in plain.items():
        other = mirrored[key]
        assert (row["outcome"] is None) == (other["outcome"] is None)
        assert (row["tier"], row["votes"], row["dissent"]) == (other["tier"], other["votes"], other["dissent"])
        if row["outcome"] is not None:
            assert row["outcome"] == pytest.approx(1 - other["outcome"])
            assert row["confidence"] == pytest.approx(other["confidence"])
            assert 0 <= row["outcome"] <= 1
            assert 0.5 <= row["confidence"] <= 0.99


@settings(max_examples=20, deadline=None)
@given(VOTES, st.randoms())
def test_the_order_of_votes_does_not_matter(votes, random):
    shuffled = list(votes)
    random.shuffle(shuffled)
    strip = [{k: v for k, v in row.items() if k != "labelers"} for _, row in sorted(fused(votes).items())]
    assert [{k: v for k, v in row.items() if k != "labelers"} for _, row in sorted(fused(shuffled).items())] == strip
