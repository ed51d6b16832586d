"""Refuse, with the reason, or estimate."""

import numpy as np

from flywheel_assets.decisions.off_policy.direct import direct, modelled
from flywheel_assets.decisions.off_policy.doubly_robust import doubly_robust
from flywheel_assets.decisions.off_policy.ips import ips
from flywheel_assets.decisions.off_policy.logged import Estimated, Logged, Overlap, Refused
from flywheel_assets.decisions.off_policy.sequence import sequence
from flywheel_assets.decisions.off_policy.snips import snips

# Effective sample size below which nothing is said, and the share of the runs that the target agrees
# with which it must come to. A tenth would refuse a public log with ESS 656 of 10,000 that is right.
LEAST_N, LEAST_SHARE = 50.0, 0.05
ALPHA, FOLDS = 0.05, 5


def evaluate(log: Logged, alpha: float = ALPHA, folds: int = FOLDS) -> Estimated | Refused:
    """The target's value, or why the log cannot tell it."""
    runs = len(log.action)
    if not runs:
        return Refused("not identifiable: no run with an outcome")
    known = ~np.isnan(log.propensity) & (log.propensity > 0)
    if not known.any():
        return Refused("not identifiable: no run says with which probability its arm was chosen")
    supported = known & log.supported
    used = log.only(supported)
    overlap = reach(used, runs)
    if not overlap.matched:
        return Refused("not identifiable: the log has no run of this arm", overlap)
    if bool((used.propensity >= 1).all()):
        return Refused("not identifiable: every arm was chosen with certainty", overlap)
    if overlap.effective_n < max(LEAST_N, LEAST_SHARE * overlap.matched):
        words = f"effective sample size {overlap.effective_n:.0f} of {overlap.matched} runs"
        return Refused(
            f"not identifiable: too little overlap, {words}, largest weight {overlap.max_weight:,.0f}", overlap
        )
    rewards = modelled(used, folds)
    whole = bool((used.keep >= 1).all())
    return Estimated(
        overlap=overlap,
        ips=ips(used),
        snips=snips(used),
        direct=direct(used, rewards),
        doubly_robust=doubly_robust(used, rewards),
        sequence=sequence(used, alpha) if whole else None,
    )


def reach(used: Logged, runs: int) -> Overlap:
    """How far the usable part of a log of so many runs reaches. Kish's effective sample size."""
    weight = used.weight * used.scale
    total, squares = float(weight.sum()), float(weight @ weight)
    return Overlap(
        runs=runs,
        matched=int((weight > 0).sum()),
        effective_n=total**2 / squares if squares else 0.0,
        max_weight=float(used.weight.max(initial=0.0)),
        supported=len(used.action) / runs,
    )
