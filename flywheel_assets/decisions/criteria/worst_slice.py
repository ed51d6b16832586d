"""Worst slice: no value of a context key that was declared beforehand is credibly harmed."""

import numpy as np

from flywheel_assets.decisions.canonical import e_value, stated
from flywheel_assets.decisions.elond import gamma
from flywheel_assets.decisions.trial import Failed, Numbers, Passed, Result, Trial, Undecided
from flywheel_assets.tables.documents.registration import Registration

# Chance that a candidate that harms no slice is ever stopped, shared by the slices as they turn up.
HARM_ALPHA = 0.05


def applies(registration: Registration) -> bool:
    """Where any slice was declared."""
    return bool(registration.slices)


def check(trial: Trial) -> Result:
    """Fails where the e-value against 'no worse than the margin' in any slice reaches its 1/α.

    The k-th value that turns up gets α · γ_k: their number need not be known beforehand.
    """
    harmed: list[str] = []
    worst: tuple[float, Numbers] = (-np.inf, {})
    known = 0
    for key in trial.registration.slices:
        values = trial.evidence.context(key)
        for value in dict.fromkeys(one for one in values if one is not None):
            known += 1
            inside = np.array([one == value for one in values], dtype=np.bool_)
            log_e, needed = trial.without(~inside).log_e_harm(-trial.registration.margin), 1 / HARM_ALPHA / gamma(known)
            numbers: Numbers = {
                "slice": f"{key}={value}",
                "units": int(inside.sum()),
                "e_value_worse": e_value(log_e),
                "needed": stated(needed),
            }
            if e_value(log_e) >= needed:
                harmed.append(f"{key}={value}")
            worst = max(worst, (log_e - float(np.log(needed)), numbers), key=lambda one: one[0])
    numbers = {"slices": known, **worst[1]}
    if harmed:
        return Failed(f"credibly harmed: {', '.join(harmed)}", numbers)
    if not known:
        return Undecided("no unit says which slice it is of", numbers)
    return Passed("no slice credibly harmed", numbers)
