"""Incumbent stands: what the candidate is compared with is still in production."""

from flywheel_assets.decisions.trial import Failed, Passed, Result, Trial
from flywheel_assets.tables.documents.registration import Registration


def applies(_registration: Registration) -> bool:
    """Always."""
    return True


def check(trial: Trial) -> Result:
    """Fails where the incumbent was rolled back under the trial, or another candidate took its place."""
    if trial.conditions.incumbent_rolled_back:
        return Failed("the incumbent was rolled back")
    if trial.conditions.replaced_by is not None:
        return Failed(f"{trial.conditions.replaced_by} was promoted in the incumbent's place")
    return Passed("the incumbent is in production")
