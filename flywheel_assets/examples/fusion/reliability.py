"""How often each voter is right, with its interval, as far as the chosen method tells what is true."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from flywheel_assets.examples.fusion.choose import Choice
from flywheel_assets.examples.fusion.latent import sureness
from flywheel_assets.examples.fusion.one_coin import DRAWN_TO_ALL
from flywheel_assets.examples.fusion.votes import Numbers

# The truth that a voter is measured by is estimated too: counted in full, intervals held the truth in 88 of 100 cases.
WIDER = 0.6


@dataclass(frozen=True, slots=True)
class Reliability:
    """By voter: accuracy and its central 95 % interval."""

    accuracy: Numbers
    lower: Numbers
    upper: Numbers


def reliability(choice: Choice) -> Reliability:
    """Beta intervals around accuracies that are drawn towards the mean of all voters, which one-sided ones keep."""
    patterns, chance = choice.patterns, choice.fitted.probability()
    counts = patterns.two_sided() * sureness(patterns)(chance)
    good, bad = (patterns.times * chance) @ patterns.good, (patterns.times * (1 - chance)) @ patterns.bad
    right, seen = counts * (good + bad), counts * np.add(*patterns.cast())
    hits, misses = right + DRAWN_TO_ALL * choice.mean, seen - right + DRAWN_TO_ALL * (1 - choice.mean)
    interval = betaincinv(WIDER * hits, WIDER * misses, [[0.025], [0.975]])
    return Reliability(np.asarray(hits / (hits + misses)), interval[0], interval[1])
