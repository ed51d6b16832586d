"""A budget's dual: the price of a dollar at which what is chosen costs no more than may be spent."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flywheel_assets.candidates.routing.features import Reals

STEPS = 60
# A budget may be exceeded by this part of it, no more: by the estimate plus one standard error.
TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class Priced:
    """The price of a unit of cost, the arm of each request at that price, and their mean cost."""

    price: float
    chosen: NDArray[np.int64]
    cost: float


def price_for(value: Reals, cost: Reals, budget: float | None) -> Priced:
    """The lowest price that keeps to the budget. `value`: requests × arms; `cost`: of each arm.

    The mean cost of few requests says little of the next ones: its standard error counts as spent.
    Where even the cheapest arm costs more, the cheapest is chosen throughout.
    """
    free = _at(value, cost, 0.0)
    if budget is None or _spent(free, cost) <= budget * (1 + TOLERANCE):
        return free
    # At this price no difference in outcome, which is at most 1, makes up for a difference in cost.
    apart = np.diff(np.unique(cost))
    low, high = 0.0, float((np.ptp(value, axis=1).max(initial=0.0) + 1) / (apart.min() if len(apart) else 1.0))
    for _ in range(STEPS):
        middle = (low + high) / 2
        if _spent(_at(value, cost, middle), cost) <= budget * (1 + TOLERANCE):
            high = middle
        else:
            low = middle
    return _at(value, cost, high)


def _at(value: Reals, cost: Reals, price: float) -> Priced:
    chosen = (value - price * cost).argmax(axis=1)
    return Priced(price, chosen, float(cost[chosen].mean()) if len(chosen) else 0.0)


def _spent(priced: Priced, cost: Reals) -> float:
    spent = cost[priced.chosen]
    error = float(spent.std()) / max(len(spent), 1) ** 0.5
    return priced.cost + error
