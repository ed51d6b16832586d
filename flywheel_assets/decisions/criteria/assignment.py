"""Assignment: units really went to the candidate with the registered probability.

Where they did not, the randomisation is broken or outcomes go missing on one side more than on the
other; either way the difference says nothing about the arms.
"""

from flywheel_assets.decisions.canonical import e_value, stated
from flywheel_assets.decisions.trial import Failed, Passed, Result, Trial
from flywheel_assets.tables.documents.registration import Registration

# Chance that a sound trial is ever thrown away for this.
BROKEN_ALPHA = 0.001


def applies(_registration: Registration) -> bool:
    """Always."""
    return True


def check(trial: Trial) -> Result:
    """Fails where the e-value against the registered shares reaches 1/α."""
    candidates, incumbents = trial.evidence.units
    e = e_value(trial.bets.split.log_e_either(0.0))
    numbers = {
        "e_value": e,
        "needed": stated(1 / BROKEN_ALPHA),
        "declared_share": stated(float(trial.share.mean())) if candidates + incumbents else None,
        "candidate_units": candidates,
        "incumbent_units": incumbents,
    }
    if e >= 1 / BROKEN_ALPHA:
        return Failed("units were not split as registered, or outcomes are missing on one side", numbers)
    return Passed("split as registered", numbers)
