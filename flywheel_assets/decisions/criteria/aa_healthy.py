"""A/A healthy: on own traffic, identical arms are promoted no more often than the test promises."""

from scipy.special import betainc

from flywheel_assets.decisions.canonical import stated
from flywheel_assets.decisions.trial import IdenticalArms, Passed, Result, Trial, Undecided
from flywheel_assets.tables.documents.registration import Registration

# Chance that a sound test is ever taken for a broken one.
BROKEN_ALPHA = 0.001


def applies(_registration: Registration) -> bool:
    """Always."""
    return True


def check(trial: Trial) -> Result:
    """Holds every promotion while more trials of identical arms were promoted than chance explains."""
    seen = trial.conditions.identical
    if seen is None or not seen.trials:
        return Passed("no trial of identical arms on this traffic yet")
    numbers = {
        "trials": seen.trials,
        "promoted": seen.promoted,
        "observed": stated(seen.promoted / seen.trials),
        "nominal": seen.nominal,
        "chance": stated(chance(seen)),
    }
    if not healthy(seen):
        return Undecided(
            "identical arms are promoted too often on this traffic: the test is not to be trusted", numbers
        )
    return Passed("identical arms are promoted no more often than promised", numbers)


def healthy(seen: IdenticalArms) -> bool:
    """Whether so many promotions may be chance."""
    return chance(seen) >= BROKEN_ALPHA


def chance(seen: IdenticalArms) -> float:
    """Probability of so many promotions or more where each trial has the nominal one."""
    return float(betainc(seen.promoted, seen.trials - seen.promoted + 1, seen.nominal))
