"""Approval: a person agreed, where the operator asked for one."""

from flywheel_assets.decisions.trial import Failed, Passed, Result, Trial, Undecided
from flywheel_assets.tables.documents.registration import Registration


def applies(registration: Registration) -> bool:
    """Where the skill needs approval."""
    return registration.needs_approval


def check(trial: Trial) -> Result:
    """A rejection fails the trial whatever the evidence says."""
    approved = trial.conditions.approved
    if approved is None:
        return Undecided("waits for a person")
    return Passed("approved") if approved else Failed("rejected by a person")
