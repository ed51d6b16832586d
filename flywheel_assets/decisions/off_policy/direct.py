"""The direct method: a model of the reward, averaged over what the target would do.

The model is ridge regression on the features and one indicator per action, so an action that was
seldom taken is drawn towards what the features say. No interval comes from it alone: its bias is not known.
"""

import numpy as np

from flywheel_assets.decisions.off_policy.logged import Logged, Value, mean_of
from flywheel_assets.decisions.stakes import Flags, Reals

# Observations that the ridge stands for.
RIDGE = 1.0


def direct(log: Logged, rewards: Reals) -> Value:
    """Mean over runs of the target's expected reward under the model; `rewards`: n × actions, out of fold."""
    return mean_of((log.target * rewards).sum(axis=1), log.scale, log.cluster)


def modelled(log: Logged, folds: int) -> Reals:
    """Expected reward of every action for every run (n × actions), by a model fitted on the other folds.

    Clusters are not torn apart: fold k holds every `folds`-th of them.
    """
    fold = log.cluster % folds
    found = np.zeros(log.target.shape)
    for held in range(folds):
        rows = fold == held
        found[rows] = _fitted(log, ~rows, rows)
    return np.clip(found, 0.0, 1.0)


def _fitted(log: Logged, train: Flags, rows: Flags) -> Reals:
    actions, width = log.target.shape[1], log.features.shape[1]
    if not train.any():
        return np.full((int(rows.sum()), actions), 0.5)
    weight = log.scale[train]
    middle = float(np.average(log.reward[train], weights=weight))
    design = np.column_stack([log.features[train], np.eye(actions)[log.action[train]]])
    gram = design.T @ (design * weight[:, None]) + RIDGE * np.eye(width + actions)
    effects = np.linalg.solve(gram, design.T @ (weight * (log.reward[train] - middle)))
    return middle + (log.features[rows] @ effects[:width])[:, None] + effects[width:][None, :]
