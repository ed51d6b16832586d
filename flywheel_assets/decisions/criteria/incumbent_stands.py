"""Incumbent stands: what the candidate is compared with is still in production."""

from flywheel_assets.decisions.trial import Failed, Passed, Result, Trial
from flywheel_assets.tables.documents.registration import Registration


def applies(_registration: Registration) -> bool:
    """Always."""
    return True


def check(trial: Trial) -> Result:
    """Fails where the incumbent was rolled back under the trial."""
    if trial.conditions.incumbent_rolled_back:
        return Failed("the incumbent was rolled back")
    return Passed("the incumbent is in production")
