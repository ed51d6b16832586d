"""Non-inferiority: a cheaper candidate's outcome is credibly no worse than the registered margin."""

from flywheel_assets.decisions.canonical import e_value, stated
from flywheel_assets.decisions.trial import Failed, Numbers, Passed, Result, Trial, Undecided
from flywheel_assets.tables.documents.registration import Registration


def applies(registration: Registration) -> bool:
    """Where a margin was registered."""
    return registration.margin > 0


def check(trial: Trial) -> Result:
    """E-value against 'worse by the margin or more' reaches 1/α, and the candidate did cost less."""
    alpha, margin, outcome = trial.registration.alpha, trial.registration.margin, trial.outcome
    e, harm = e_value(outcome.log_e(-margin)), e_value(outcome.log_e_harm(-margin))
    saved = _saved(trial)
    numbers: Numbers = {
        "e_value": e,
        "needed": stated(1 / alpha),
        "e_value_worse": harm,
        "margin": margin,
        "saved_usd": None if saved is None else stated(saved),
    }
    if harm >= 1 / alpha:
        return Failed("credibly worse by more than the margin", numbers)
    if e < 1 / alpha:
        return Undecided("not credibly within the margin yet", numbers)
    if saved is None:
        return Undecided("within the margin, but cost was not reported for both arms", numbers)
    if saved <= 0:
        return Undecided("within the margin, but not cheaper in this trial", numbers)
    return Passed("credibly within the margin, and cheaper", numbers)


def _saved(trial: Trial) -> float | None:
    more = trial.evidence.difference_in(trial.evidence.metric("cost_usd"))
    return None if more is None else -more
