"""Predecessor restorable: what a rollback would put back is known byte for byte."""

from flywheel_assets.decisions.trial import Passed, Result, Trial, Undecided
from flywheel_assets.tables.documents.registration import Registration


def applies(_registration: Registration) -> bool:
    """Always."""
    return True


def check(trial: Trial) -> Result:
    """Undecided until the incumbent's prompt text is at hand and hashes to its version."""
    arm = trial.registration.incumbent_arm
    if trial.conditions.predecessor_known:
        return Passed(f"{arm} can be restored")
    return Undecided(f"the prompt of {arm} is not among the published ones: publish it first")
