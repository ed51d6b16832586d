"""The majority: all voters are right equally often, as often as their agreement with each other tells."""

import numpy as np

from flywheel_assets.examples.fusion.latent import Model
from flywheel_assets.examples.fusion.votes import Numbers

# Voters err together: the evidence of several is worth less than if they were independent.
TRUST = 0.8


def majority(mean: float, _share: float) -> Model:
    """Good and bad are alike beforehand, so that the more votes win and a tie ends at one half."""

    def learned(good: Numbers, _bad: Numbers) -> Numbers:
        return np.tile([1 - mean, mean], (len(good), 1))

    return Model(np.array([0.5, 0.5]), np.array([False, True]), learned, TRUST)
