"""A set's probabilities put right by its anchors: what people answered about a random sample of its examples.

Platt's correction (1999), log-odds times a slope plus a shift, drawn towards "no correction": the likeliest
under a normal prior around slope 1 and shift 0. A few anchors hardly move anything; many decide.
"""

from dataclasses import dataclass

import numpy as np

from flywheel_assets.examples.fusion.votes import Numbers

# Fewer anchors correct nothing.
LEAST_ANCHORS = 20
# Standard deviations of slope and shift beforehand: what voters claim is less to be relied on than what was learned.
CLAIMED, LEARNED = (1.0, 1.0), (0.3, 0.7)
SUREST = 0.999
ROUNDS = 30


@dataclass(frozen=True, slots=True)
class Correction:
    """Log-odds become `slope` × log-odds + `shift`."""

    slope: float
    shift: float

    def __call__(self, probability: Numbers) -> Numbers:
        """Probabilities, corrected."""
        return logistic(self.slope * log_odds(probability) + self.shift)


def correction(probability: Numbers, answer: Numbers, varies: tuple[float, float]) -> Correction | None:
    """From the probabilities of examples and people's answers (0 to 1) about them; None: too few."""
    if len(answer) < LEAST_ANCHORS:
        return None
    basis = np.stack([log_odds(probability), np.ones(len(answer))], axis=1)
    middle, held = np.array([1.0, 0.0]), np.diag(np.array(varies) ** -2)
    found = middle
    for _ in range(ROUNDS):
        said = logistic(basis @ found)
        slope = basis.T @ (answer - said) - held @ (found - middle)
        curve = (basis * (said * (1 - said))[:, None]).T @ basis + held
        step = np.clip(np.linalg.solve(curve, slope), -1, 1)
        found = found + step
        if np.abs(step).max() < 1e-9:
            break
    return Correction(max(float(found[0]), 0.0), float(found[1]))


def log_odds(probability: Numbers) -> Numbers:
    """Of probabilities no nearer to 0 and 1 than `SUREST`."""
    kept = np.clip(probability, 1 - SUREST, SUREST)
    return np.log(kept / (1 - kept))


def logistic(value: Numbers) -> Numbers:
    """The probabilities of log-odds."""
    return 1 / (1 + np.exp(-np.clip(value, -50, 50)))
