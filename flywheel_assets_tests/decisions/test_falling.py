"""The last place at which a falling function holds, found in few steps."""

from collections.abc import Callable
from math import exp, log1p

import pytest

from flywheel_assets.decisions.falling import last_held

COUNT = 2.0**40


@pytest.mark.parametrize("place", [0, 1, 2, 12345, 2**20, 2**39 + 1, 2**40 - 1, 2**40])
@pytest.mark.parametrize(
    "falling",
    [
        lambda x: -x,
        lambda x: -(x**3),
        lambda x: 1 - exp(min(40 * x, 700)),
        lambda x: -1.0 if x > 0 else 1e6,
        lambda x: -log1p(1e9 * x) if x > 0 else -1e4 * x,
    ],
    ids=["straight", "flat", "steep", "a step", "bent"],
)
def test_it_is_found_in_any_shape(place: int, falling: Callable[[float], float]) -> None:
    asked: list[float] = []

    def excess(at: float) -> float:
        asked.append(at)
        return falling((at - place) / COUNT)

    assert last_held(excess, COUNT) == place
    assert len(asked) <= 4 * 40 + 2


def test_where_nothing_or_everything_holds_an_end_is_told() -> None:
    assert last_held(lambda _at: -1.0, COUNT) == 0
    assert last_held(lambda _at: 1.0, COUNT) == COUNT
