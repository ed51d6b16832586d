"""Votes count as they say: what is left where nothing can be learned of who is right.

The outcome is the mean of the votes weighted by evidence (2 × confidence − 1). Its confidence multiplies the odds
of the votes as if they were independent (naive Bayes), each for or against by how near it is to the weighted
median, so that a lone vote keeps its own confidence whatever its value, and a tie ends at one half. It is capped,
for voters are not independent.
"""

import numpy as np

from flywheel_assets.examples.fusion.votes import Index, Numbers

# No number of votes makes a label surer than this; a single vote may be, if its labeler is.
CAP = 0.99


def stated(group: Index, value: Numbers, confidence: Numbers) -> tuple[Numbers, Numbers]:
    """Outcome and confidence by group, from votes of one tier in order of group and value."""
    confidence = np.clip(confidence, 0.5, 1 - 1e-9)
    start = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(np.append(start, len(group)))
    weight = 2 * confidence - 1
    total = np.add.reduceat(weight, start) if len(start) else weight
    lowest, highest = value[start], value[start + size - 1] if len(start) else value
    mean = np.add.reduceat(weight * value, start) / total if len(start) else value
    # One opinion is that opinion exactly, not that opinion times its weight over its weight.
    outcome = np.where(lowest == highest, lowest, np.clip(mean, 0, 1))
    agreement = 1 - 2 * np.abs(value - np.repeat(_median(value, weight, start, size), size))
    logit = np.log(confidence / (1 - confidence)) * agreement
    odds = np.abs(np.add.reduceat(logit, start)) if len(start) else logit
    fused = 1 / (1 + np.exp(-odds))
    surest = np.maximum.reduceat(confidence, start) if len(start) else confidence
    capped = np.round(np.minimum(fused, np.maximum(CAP, surest)), 12)
    return outcome.astype(np.float64), capped.astype(np.float64)


def _median(value: Numbers, weight: Numbers, start: Index, size: Index) -> Numbers:
    """Weighted median by group: the mean of the lower and the upper one."""
    if not len(start):
        return value
    running = np.cumsum(weight)
    base = np.repeat(running[start] - weight[start], size)
    half = np.repeat(np.add.reduceat(weight, start) / 2, size)
    slack = 1e-9
    reached, passed = running - base >= half - slack, running - base > half + slack
    infinite = np.float64(np.inf)
    lower = np.minimum.reduceat(np.where(reached, value, infinite), start)
    upper = np.minimum.reduceat(np.where(passed, value, infinite), start)
    return (lower + np.where(np.isinf(upper), lower, upper)) / 2
