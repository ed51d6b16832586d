"""Exploration: which share of the runs each arm gets to be learned about, and when it gets none.

Thompson sampling in proportion: an arm's share is the posterior chance that it is the best one of its
skill, or of any request. A new arm starts with the prior's doubt and so with a fair share; one that is credibly
worse loses it. All of it together never exceeds what the operator allows, and shrinks as the error of
what was learned does, so that what exploration costs in all grows as the square root of the runs.
"""

import numpy as np

from flywheel_assets.candidates.routing.contextual import Model
from flywheel_assets.candidates.routing.features import Asked

DRAWS = 500
# An arm that is this seldom the best, over all requests and on its best part of them, is dropped.
DOMINATED = 0.01
# Runs after which exploration has shrunk by a third, and the part of it that always stays open.
HALFWAY, LEAST = 500, 0.2


def explore_shares(model: Model, asked: Asked, allowed: float, seed: int) -> dict[str, float]:
    """Arm → share of all runs; they add up to `allowed` at most. Two arms or fewer share evenly.

    `asked`: the requests that the model was fitted on.
    """
    arms = model.arms
    allowed *= max((HALFWAY / (HALFWAY + len(asked))) ** 0.5, LEAST)
    if len(arms) <= 2:
        return dict.fromkeys(arms, allowed / len(arms))
    drawn = model.drawn(asked, DRAWS, seed)
    best = np.bincount(drawn.argmax(axis=1), minlength=len(arms)) / DRAWS
    predicted = model.predict(asked).argmax(axis=1)
    somewhere = np.bincount(predicted, minlength=len(arms)) / max(len(predicted), 1)
    chance = np.maximum(best, np.minimum(somewhere, 0.5))
    chance[chance < DOMINATED] = 0.0
    total = float(chance.sum())
    return {arm: float(allowed * share / total) for arm, share in zip(arms, chance, strict=True) if share > 0}
