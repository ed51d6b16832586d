"""Doubly robust: the direct method plus the weighted residuals, the model fitted on other folds.

Dudík, Langford and Li, ICML 2011; cross-fitting after Chernozhukov et al., Econometrics Journal 21, 2018.
"""

import numpy as np

from flywheel_assets.decisions.off_policy.logged import Logged, Value, mean_of
from flywheel_assets.decisions.stakes import Reals


def doubly_robust(log: Logged, rewards: Reals) -> Value:
    """Right where either the probabilities or the model are; `rewards`: n × actions, out of fold."""
    residual = log.reward - rewards[np.arange(len(log.action)), log.action]
    return mean_of((log.target * rewards).sum(axis=1) + log.weight * residual, log.scale, log.cluster)
