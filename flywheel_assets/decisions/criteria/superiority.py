"""Superiority: the candidate's outcome is credibly better than the incumbent's."""

from flywheel_assets.decisions.canonical import e_value, stated
from flywheel_assets.decisions.trial import Failed, Passed, Result, Trial, Undecided
from flywheel_assets.tables.documents.registration import Registration


def applies(registration: Registration) -> bool:
    """Where no margin was registered."""
    return registration.margin == 0


def check(trial: Trial) -> Result:
    """E-value against 'not better' reaches 1/α; fails where 'not worse' is refuted at the same α."""
    alpha, outcome = trial.registration.alpha, trial.outcome
    e, harm = e_value(outcome.log_e(0.0)), e_value(outcome.log_e_harm(0.0))
    numbers = {"e_value": e, "needed": stated(1 / alpha), "e_value_worse": harm}
    if e >= 1 / alpha:
        return Passed("credibly better", numbers)
    if harm >= 1 / alpha:
        return Failed("credibly worse", numbers)
    return Undecided("not credibly better yet", numbers)
