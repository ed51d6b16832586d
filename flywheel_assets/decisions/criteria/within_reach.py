"""Within reach: the units that are left could still make the verdict.

Stopping early cannot promote anything, so it costs no error; what it costs in power is bounded: the
difference that would have to be true is one that the trial's own confidence sequence has refuted.
"""

from math import log

from flywheel_assets.decisions.canonical import e_value, stated
from flywheel_assets.decisions.trial import Failed, Passed, Result, Trial
from flywheel_assets.tables.documents.registration import Registration

# Chance that a candidate is given up whose true difference would have sufficed.
FUTILE_ALPHA = 0.1


def applies(_registration: Registration) -> bool:
    """Always."""
    return True


def check(trial: Trial) -> Result:
    """Fails where the difference that could still reach 1/α in the units left is credibly too large.

    Under a difference d beyond the margin, log capital grows by at most d² / 2s² a unit (Kelly), s
    being the spread of one observation. What is needed is solved for d.
    """
    registration, outcome = trial.registration, trial.outcome
    units = sum(trial.evidence.units)
    missing = -log(registration.alpha) - outcome.log_e(-registration.margin)
    if missing <= 0 or not units:
        return Passed("reached" if units else "no unit yet")
    left = registration.max_units - units
    if left <= 0:
        return Failed(f"undecided after {units} units of at most {registration.max_units}", {"units_left": 0})
    needed = (2 * missing / left * outcome.rise.variance) ** 0.5 - registration.margin
    refuted = e_value(outcome.log_e_harm(min(needed, 1.0)))
    numbers = {
        "units_left": left,
        "difference_needed": stated(needed),
        "e_value_below_it": refuted,
        "needed": stated(1 / FUTILE_ALPHA),
    }
    if needed >= 1 or refuted >= 1 / FUTILE_ALPHA:
        return Failed("out of reach: the difference that the units left could show is credibly too large", numbers)
    return Passed("within reach", numbers)
