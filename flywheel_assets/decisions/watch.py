"""After promotion: a promoted arm is compared with its predecessor for as long as that still runs.

The predecessor keeps a share of units (holdout, frozen, explore), drawn concurrently. Each of its
units is matched with the mean of the production units since the one before, so the difference is
unbiased without knowing shares that change from document to document. Harm beyond what the
promotion's registration allowed ends the promotion.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flywheel_assets.decisions.canonical import e_value, stated
from flywheel_assets.decisions.eprocess import Comparison, differences
from flywheel_assets.decisions.evidence import Evidence
from flywheel_assets.decisions.judge import Verdict, shown
from flywheel_assets.decisions.stakes import Flags, Reals
from flywheel_assets.decisions.trial import Failed, Passed, Result, Undecided
from flywheel_assets.tables.documents.registration import Registration

# Chance that a harmless promotion is ever rolled back: half of it for the outcome, the rest shared
# evenly by the guardrails. Larger than for a promotion, because a rollback restores what was in use.
ROLLBACK_ALPHA = 0.1
# Harm may begin long after the promotion: bets on it start anew every so many blocks.
RESTART = 10


@dataclass(frozen=True, slots=True)
class Watched:
    """One metric since the promotion: how much worse it got, per block, against what is allowed.

    `blocks`: promoted minus predecessor, larger is worse. `block_of`: each unit's block, −1 for none.
    """

    metric: str
    allowed: float
    alpha: float
    blocks: Comparison
    block_of: NDArray[np.int64]

    @property
    def log_e(self) -> float:
        """Log e-value against 'worse by no more than allowed'."""
        return self.blocks.log_e(self.allowed)

    @property
    def growth(self) -> Reals:
        """Each unit's equal share of what its block added to `log_e`; 0 outside all blocks."""
        inside = self.block_of >= 0
        sizes = np.bincount(self.block_of[inside], minlength=len(self.blocks.rise.x))
        shares = np.append(self.blocks.rise.growth(self.allowed) / np.maximum(sizes, 1), 0.0)
        return shares[self.block_of]


def watch(registration: Registration, evidence: Evidence) -> list[Watched]:
    """The outcome (allowed to fall by the margin) and every declared guardrail."""
    limits = [("outcome", 1 - evidence.outcome, registration.margin, ROLLBACK_ALPHA / 2)]
    for guardrail in registration.guardrails:
        cut = np.clip(evidence.metric(guardrail.metric) / guardrail.ceiling, 0.0, 1.0)
        allowed = min(guardrail.max_increase / guardrail.ceiling, 1.0)
        limits.append((guardrail.metric, cut, allowed, ROLLBACK_ALPHA / 2 / len(registration.guardrails)))
    return [
        Watched(metric, allowed, alpha, *matched(evidence.candidate, harm)) for metric, harm, allowed, alpha in limits
    ]


def matched(candidate: Flags, values: Reals) -> tuple[Comparison, NDArray[np.int64]]:
    """Blocks that end with each predecessor unit before which production units came since the last one.

    Units whose value is NaN take no part. Returns the blocks' differences and each unit's block.
    """
    known = ~np.isnan(values)
    ours, theirs = known & candidate, known & ~candidate
    seen = np.cumsum(ours)[theirs]
    ends = np.diff(seen, prepend=0) > 0
    block_of = np.full(len(values), -1, dtype=np.int64)
    block_of[np.flatnonzero(theirs)[ends]] = np.arange(ends.sum())
    # The k-th production unit belongs to the first block that ends after it.
    block = np.searchsorted(seen[ends], np.arange(1, ours.sum() + 1))
    block_of[np.flatnonzero(ours)] = np.where(block < ends.sum(), block, -1)
    inside = ours & (block_of >= 0)
    sums = np.bincount(block_of[inside], weights=values[inside], minlength=int(ends.sum()))
    counts = np.bincount(block_of[inside], minlength=int(ends.sum()))
    return differences(sums / np.maximum(counts, 1) - values[theirs][ends], RESTART), block_of


def verdict(evidence: Evidence, watched: list[Watched], asked_by: str | None = None) -> Verdict:
    """Rolled back when the e-value of any watched metric reaches 1/α, or a person asked for it, else held."""
    results: dict[str, Result] = {} if asked_by is None else {"person": Failed(f"rollback asked for by {asked_by}")}
    for one in watched:
        e, needed, blocks = e_value(one.log_e), 1 / one.alpha, len(one.blocks.rise.x)
        numbers = {"e_value": e, "needed": stated(needed), "blocks": blocks, "allowed": stated(one.allowed)}
        if e >= needed:
            results[one.metric] = Failed("credibly worse than its predecessor by more than allowed", numbers)
        elif not blocks:
            results[one.metric] = Undecided("the predecessor does not run beside it", numbers)
        else:
            results[one.metric] = Passed("not credibly worse than its predecessor", numbers)
    failed = [f"{name}: {result.reason}" for name, result in results.items() if isinstance(result, Failed)]
    worse = watched[0].blocks
    lower, upper = interval(watched[0])
    ours, theirs = evidence.units
    return Verdict(
        kind="rolled_back" if failed else "held",
        reason="; ".join(failed) or "; ".join(f"{name}: {result.reason}" for name, result in results.items()),
        estimate=estimate(watched[0]),
        lower=stated(lower),
        upper=stated(upper),
        e_value=e_value(worse.log_e_harm(0.0)),
        candidate_units=ours,
        incumbent_units=theirs,
        criteria_json=shown(results, evidence),
        evidence_hash=evidence.hash,
        evidence_days=evidence.days,
    )


def interval(outcome: Watched) -> tuple[float, float]:
    """Confidence sequence for the promoted arm's outcome minus its predecessor's; each end may miss at α.

    The upper end is the rule that rolls back, inverted: at its worst the difference was no more. The
    lower end holds for a difference that stays the same. Where it changed, nothing bounds the worst stretch
    from below; the end is then let down to the estimate of that stretch.
    """
    upper = -outcome.blocks.rise.lower(outcome.alpha)
    worst = estimate(outcome)
    return min(outcome.blocks.fall.lower(outcome.alpha), upper, upper if worst is None else worst), upper


def estimate(outcome: Watched) -> float | None:
    """Mean difference since the outcome seems to have got worse, as the interval is about that stretch."""
    harm = outcome.blocks.rise
    return stated(-float(np.mean(harm.x[harm.onset(outcome.allowed) :]))) if len(harm.x) else None
