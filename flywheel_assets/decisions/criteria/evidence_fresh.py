"""Evidence fresh: the verdict is about what runs now, not about what ran long ago."""

from datetime import timedelta

import numpy as np

from flywheel_assets.decisions.canonical import stated
from flywheel_assets.decisions.trial import Failed, Passed, Result, Trial, Undecided
from flywheel_assets.tables.documents.registration import Registration

# Share of the units that must be recent.
RECENT = 0.5


def applies(_registration: Registration) -> bool:
    """Always."""
    return True


def check(trial: Trial) -> Result:
    """Fails where every unit is older than the registration's `evidence_days`; most must be younger."""
    units, as_of, days = sum(trial.evidence.units), trial.conditions.as_of, trial.registration.evidence_days
    if not units:
        return Passed("no unit yet")
    if as_of is None:
        return Undecided("when it was looked at is not known")
    cut = (as_of - timedelta(days=days)).timestamp() * 1e6
    recent = float(np.mean(trial.evidence.metric("start_us") >= cut))
    numbers = {"recent_share": stated(recent), "needed": RECENT, "evidence_days": days}
    if not recent:
        return Failed(f"no unit of the last {days} days: what was learnt has expired", numbers)
    if recent < RECENT:
        return Undecided(f"most units are older than {days} days", numbers)
    return Passed(f"{recent:.0%} of the units are of the last {days} days", numbers)
