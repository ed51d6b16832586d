"""e-LOND: one error budget for the whole stream of trials.

Trial t may promote when its e-value reaches 1/α_t, α_t = α · γ_t · (D + 1), with D promotions before
its registration and Σ γ_t ≤ 1. The false discovery rate over all promotions ever stays ≤ α under any
dependence, also when trials overlap: a promoted trial is counted among the final discoveries, so
(D + 1) never exceeds their number. A trial that is dropped gets nothing back.

Source: Xu and Ramdas, "Online multiple testing with e-values", AISTATS 2024.
"""

# γ_t = c / ((t + c − 1)(t + c)) telescopes: after t trials exactly c / (t + c) of the budget is left.
# Against 6/(π² t²) it gives a fifteenth trial 3.6 times as much, and asks 0.9 nats more of the first.
SPREAD = 3


def gamma(position: int) -> float:
    """Share of the budget for the trial at `position`, from 1; adds up to 1 over all positions."""
    return SPREAD / ((position + SPREAD - 1) * (position + SPREAD))


def allot(budget: float, position: int, promotions: int) -> float:
    """α for the trial at `position`, registered after so many promotions; below 1."""
    return min(budget * gamma(position) * (promotions + 1), 0.5)


def left(budget: float, registered: int, promotions: int) -> float:
    """What all later trials together may still get if nothing more is promoted."""
    return budget * SPREAD / (registered + SPREAD) * (promotions + 1)
