"""A chain of attempts: other providers first, and time left for each."""

import pytest

from flywheel_assets.client import decision as module
from flywheel_assets.client.decision import Decision
from flywheel_assets.client.policy import in_turn


def decided(*fallbacks: str) -> Decision:
    return Decision("s", "a/1", "", "-", "a/1|-|-", "production", 1.0, "d", "p", None, "u", None, fallbacks)


@pytest.mark.parametrize(
    ("lasted", "given"),
    [
        ([0, 0, 0], [("a/1", 20), ("b/1", 30), ("a/2", 60)]),
        ([20, 20, 20], [("a/1", 20), ("b/1", 20), ("a/2", 20)]),
        ([60, 0, 0], [("a/1", 20)]),
        ([0, 58, 0], [("a/1", 20), ("b/1", 30), ("a/2", 2)]),
    ],
    ids=["failing at once", "hanging", "beyond its time", "slow"],
)
def test_an_attempt_leaves_time_for_the_ones_after_it(monkeypatch, lasted, given):
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    found = []
    for (model, seconds), took in zip(decided("b/1", "a/2").attempts(60), lasted, strict=False):
        found.append((model, pytest.approx(seconds)))
        now[0] += took
    assert found == given


def test_a_chain_goes_to_another_provider_first_whatever_model_was_chosen():
    assert in_turn("north/a", ("north/b", "south/c", "north/a", "east/d")) == ("south/c", "east/d", "north/b")
    assert in_turn("south/c", ("north/b", "south/e", "north/a")) == ("north/b", "north/a", "south/e")
