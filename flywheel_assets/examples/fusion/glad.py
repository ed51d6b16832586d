"""Examples differ in how easy they are: GLAD (Whitehill et al. 2009), in which a voter is right with σ(skill × ease).

An example with a few votes tells little of its own ease, so it is summed over instead of estimated, by
Gauss–Hermite quadrature of a log-normal; and as in Dawid–Skene a voter has a skill on either side. Voters err
together on what is hard: that several agree makes a label less sure than independent votes would.
"""

import numpy as np

from flywheel_assets.examples.fusion.latent import Model
from flywheel_assets.examples.fusion.votes import Numbers

POINTS = 7
# Standard deviation of the logarithm of ease.
SPREAD = 0.7
# Precision with which a voter's skill is held to the mean voter's, and its skills on either side to its own.
HELD_TO_ALL, HELD_TO_ITSELF = 1.0, 2.0
NEWTON = 8
CLOSE = 1e-4


def glad(mean: float, share: float) -> Model:
    """States are bad or good, each as easy as one of the points."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(POINTS)
    chances = weights / weights.sum()
    ease = np.exp(SPREAD * nodes)
    usual = _usual(mean, ease, chances)

    def learned(good: Numbers, bad: Numbers) -> Numbers:
        hits, misses = (bad[:, :POINTS], good[:, POINTS:]), (good[:, :POINTS], bad[:, POINTS:])
        own = _skill(hits[0] + hits[1], misses[0] + misses[1], ease, np.full(len(good), usual), HELD_TO_ALL)
        on_bad, on_good = (_skill(hit, miss, ease, own, HELD_TO_ITSELF) for hit, miss in zip(hits, misses, strict=True))
        return np.concatenate([_right(-on_bad, ease), _right(on_good, ease)], axis=1)

    prior = np.concatenate([(1 - share) * chances, share * chances])
    return Model(prior, np.repeat([False, True], POINTS), learned, trust=1.0)


def _usual(mean: float, ease: Numbers, chances: Numbers) -> float:
    """The skill that is right as often as the mean."""
    skills = np.linspace(0, 20, 2001)
    return float(np.interp(mean, _right(skills, ease) @ chances, skills))


def _skill(hits: Numbers, misses: Numbers, ease: Numbers, towards: Numbers, held: float) -> Numbers:
    """By voter the likeliest skill from votes that were right and wrong by ease, by Newton's method."""
    skill = towards
    cast = hits + misses
    for _ in range(NEWTON):
        right = _right(skill, ease)
        slope = (hits - cast * right) @ ease - held * (skill - towards)
        curve = (cast * right * (1 - right)) @ ease**2 + held
        step = np.clip(slope / curve, -1, 1)
        skill = skill + step
        if np.abs(step).max(initial=0) < CLOSE:
            break
    return skill


def _right(skill: Numbers, ease: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-np.clip(skill[:, None] * ease, -50, 50)))
