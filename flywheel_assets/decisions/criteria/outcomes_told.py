"""Outcomes told: what is missing is missing on both sides alike.

Where one arm's failures are kept quiet, the outcomes that are told compare two different selections.
An outcome that may still come is not missing.
"""

import numpy as np

from flywheel_assets.decisions.canonical import e_value, stated
from flywheel_assets.decisions.eprocess import randomised
from flywheel_assets.decisions.trial import Failed, Passed, Result, Trial
from flywheel_assets.tables.documents.registration import Registration

# Chance that a sound trial is ever thrown away for this.
UNEVEN_ALPHA = 0.01


def applies(_registration: Registration) -> bool:
    """Always."""
    return True


def check(trial: Trial) -> Result:
    """Fails where the e-value against 'as often missing with either arm', in either direction, reaches 1/α."""
    told, untold = trial.evidence.rows, trial.evidence.untold
    if not untold.num_rows:
        return Passed("no outcome is missing")
    started = np.concatenate([told.column("start_us").to_numpy(), untold.column("start_us").to_numpy()])
    candidate = np.concatenate([trial.evidence.candidate, untold.column("candidate").to_numpy(zero_copy_only=False)])
    missing = np.repeat([0.0, 1.0], [told.num_rows, untold.num_rows])
    order = np.argsort(started, kind="stable")
    shares = [float(missing[candidate == side].mean()) if (candidate == side).any() else None for side in (True, False)]
    at_once = np.concatenate([trial.evidence.at_once, untold.column("at_once").to_numpy()])
    found = randomised(candidate[order].astype(np.bool_), missing[order], trial.share_among(at_once)[order])
    e = e_value(float(np.logaddexp(found.log_e(0.0), found.log_e_harm(0.0)) - np.log(2)))
    numbers = {
        "e_value": e,
        "needed": stated(1 / UNEVEN_ALPHA),
        "candidate_missing_share": None if shares[0] is None else stated(shares[0]),
        "incumbent_missing_share": None if shares[1] is None else stated(shares[1]),
    }
    if e >= 1 / UNEVEN_ALPHA:
        return Failed("outcomes go missing more often on one side", numbers)
    return Passed("outcomes are missing on both sides alike", numbers)
