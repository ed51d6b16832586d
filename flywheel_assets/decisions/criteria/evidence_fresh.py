"""Evidence fresh: the verdict is about what runs now and by what measures now, not about what was.

Old units, and units whose outcome comes from an earlier version of a judge, say little of today. They are not
left out of the test, which would let whoever changes a judge start it anew; the rest must bear the verdict out.
"""

from datetime import timedelta
from math import log

import numpy as np

from flywheel_assets.decisions.canonical import e_value, stated
from flywheel_assets.decisions.stakes import Flags
from flywheel_assets.decisions.trial import Failed, Passed, Result, Trial, Undecided
from flywheel_assets.tables.documents.registration import Registration

# Share of the units that must be recent.
RECENT = 0.5
# What units with outcomes by today's judges must come to, of the bar, on the log scale.
SHARE = 0.5


def applies(_registration: Registration) -> bool:
    """Always."""
    return True


def check(trial: Trial) -> Result:
    """Fails where every unit is older than the registration's `evidence_days`; most must be younger.

    A verdict is held as unproven that hangs on outcomes which an earlier version of a judge gave.
    """
    recent = _recent(trial)
    outdated = np.array([one is not None for one in trial.evidence.outdated], dtype=np.bool_)
    return _judged_as_now(trial, outdated, recent) if isinstance(recent, Passed) and outdated.any() else recent


def _recent(trial: Trial) -> Passed | Failed | Undecided:
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


def _judged_as_now(trial: Trial, outdated: Flags, recent: Passed) -> Result:
    margin, bar = trial.registration.margin, -log(trial.registration.alpha)
    share, without = float(outdated.mean()), trial.without(outdated).log_e(-margin)
    numbers = {
        **recent.numbers,
        "outdated_share": stated(share),
        "e_value_without_outdated": e_value(without),
        "needed_without_outdated": stated(float(np.exp(SHARE * bar))),
    }
    changed = ", ".join(sorted({one for one in trial.evidence.outdated if one}))
    if trial.outcome.log_e(-margin) >= bar and without < SHARE * bar:
        return Undecided(f"unproven: {share:.0%} of the units were judged by another version ({changed})", numbers)
    return Passed(f"{recent.reason}; {share:.0%} were judged by another version ({changed})", numbers)
