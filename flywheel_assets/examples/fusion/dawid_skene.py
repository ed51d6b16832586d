"""Two accuracies a voter, on good and on bad examples (Dawid and Skene 1979), drawn towards its own mean accuracy."""

import numpy as np

from flywheel_assets.examples.fusion.latent import Model
from flywheel_assets.examples.fusion.majority import TRUST
from flywheel_assets.examples.fusion.one_coin import accuracy
from flywheel_assets.examples.fusion.votes import Numbers

# How many votes on examples of one kind outweigh the voter's record on both.
DRAWN_TO_ITSELF = 12.0


def dawid_skene(mean: float, share: float) -> Model:
    """Without the hierarchy it collapses where voters mostly abstain, or give one vote an example."""

    def learned(good: Numbers, bad: Numbers) -> Numbers:
        own = DRAWN_TO_ITSELF * accuracy(good, bad, mean)
        on_bad, on_good = (good + bad + DRAWN_TO_ITSELF).T
        return np.stack([1 - (bad[:, 0] + own) / on_bad, (good[:, 1] + own) / on_good], axis=1)

    return Model(np.array([1 - share, share]), np.array([False, True]), learned, TRUST)
