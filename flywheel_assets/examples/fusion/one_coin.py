"""One accuracy a voter, the same on good examples and on bad ones, drawn towards the mean of all voters."""

import numpy as np

from flywheel_assets.examples.fusion.latent import Model
from flywheel_assets.examples.fusion.majority import TRUST
from flywheel_assets.examples.fusion.votes import Numbers

# How many votes a voter must have given before its own record outweighs everybody's.
DRAWN_TO_ALL = 8.0


def one_coin(mean: float, share: float) -> Model:
    """Dawid and Skene's model with one parameter a voter (Raykar et al. 2010; Zhang et al. 2014)."""

    def learned(good: Numbers, bad: Numbers) -> Numbers:
        own = accuracy(good, bad, mean)
        return np.stack([1 - own, own], axis=1)

    return Model(np.array([1 - share, share]), np.array([False, True]), learned, TRUST)


def accuracy(good: Numbers, bad: Numbers, mean: float) -> Numbers:
    """By voter, from its votes for and against on bad (column 0) and on good examples (column 1)."""
    return (good[:, 1] + bad[:, 0] + DRAWN_TO_ALL * mean) / ((good + bad).sum(axis=1) + DRAWN_TO_ALL)
