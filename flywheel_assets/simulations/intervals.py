"""Intervals in made-up worlds: how often each one that is shown misses the truth.

Sequences count as missed when they ever missed, at any look; intervals for one look at that look.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import log

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flywheel_assets.decisions.off_policy.evaluate import evaluate
from flywheel_assets.decisions.off_policy.logged import Estimated, Logged
from flywheel_assets.decisions.stakes import Reals
from flywheel_assets.decisions.trial import Trial
from flywheel_assets.decisions.watch import ROLLBACK_ALPHA, matched
from flywheel_assets.scores.score import score
from flywheel_assets.simulations.trials import CONDITIONS, Setting, registered
from flywheel_assets.simulations.worlds import WORLDS
from flywheel_assets.snapshots.momentum import momentum
from flywheel_assets.snapshots.slope import slope
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS

DAY = date(2026, 1, 1)
START = datetime(2026, 1, 1, tzinfo=UTC)
Rng = np.random.Generator
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of `of` streams or intervals missed the truth, and how often they may."""

    missed: int
    of: int
    nominal: float


def trial_sequence(world: str, gain: float) -> Callable[[Rng], Coverage]:
    """A trial's confidence sequence, at every unit: each end may be missed with probability α."""

    def once(rng: Rng) -> Coverage:
        setting = Setting(world, gain, alpha=0.025, units=4000)
        registration = registered(setting)
        share = registration.canary_share / (registration.canary_share + registration.incumbent_share)
        evidence = WORLDS[world](rng, setting.units, share, setting.base, gain).evidence()
        outcome = Trial(registration, evidence, CONDITIONS).outcome
        ends = (outcome.rise.growth(gain), outcome.fall.growth(-gain))
        missed = any(np.cumsum(end).max() >= -log(setting.alpha) for end in ends)
        return Coverage(int(missed), 1, 2 * setting.alpha)

    return once


def rollback(drift: float) -> Callable[[Rng], Coverage]:
    """A promotion that does no harm: how often its watch ever calls for a rollback over its outcome."""

    def once(rng: Rng) -> Coverage:
        units = 4000
        production = rng.random(units) >= 0.1
        outcome = (rng.random(units) < np.linspace(0.6 + drift, 0.6 - drift, units)).astype(np.float64)
        blocks, _ = matched(production, 1 - outcome)
        alpha = ROLLBACK_ALPHA / 2
        return Coverage(int(np.cumsum(blocks.rise.growth(0.0)).max(initial=0.0) >= -log(alpha)), 1, alpha)

    return once


def since_promotion(gain: float) -> Callable[[Rng], Coverage]:
    """The lower end shown after a promotion, at every block: the upper one is the rule that rolls back."""

    def once(rng: Rng) -> Coverage:
        production = rng.random(4000) >= 0.1
        outcome = (rng.random(4000) < 0.5 + gain * production).astype(np.float64)
        blocks, _ = matched(production, 1 - outcome)
        alpha = ROLLBACK_ALPHA / 2
        return Coverage(int(np.cumsum(blocks.fall.growth(gain)).max(initial=0.0) >= -log(alpha)), 1, alpha)

    return once


def scores(sessions: int, longest: int, rho: float, steps: int = 1) -> Callable[[Rng], Coverage]:
    """The 95 % intervals of `skill_scores`, for three arms whose runs share sessions.

    Outcomes are the share of so many steps that went well: 0/1 with one, graded with more.
    """

    def once(rng: Rng) -> Coverage:
        rates = rng.beta(6, 4, 3)
        sizes = [rng.integers(1, longest + 1, sessions) for _ in rates]
        rows = [_day(rng, arm, rate, sizes[arm], rho, steps) for arm, rate in enumerate(rates)]
        found = score(SKILL_DAY_STATS.rows(rows), DAY)
        lower, upper = found.column("lower").to_numpy(), found.column("upper").to_numpy()
        return Coverage(int(((rates < lower) | (rates > upper)).sum()), 3, 0.05)

    return once


def lift(drift: float, gain: float) -> Callable[[Rng], Coverage]:
    """The 95 % sequence of momentum's lift, at every block of a hundred runs."""

    def once(rng: Rng) -> Coverage:
        rows = momentum(_stream(rng, 3000, drift, np.full(3000, gain)))
        ends = [(row["lower"], row["upper"]) for row in rows.to_pylist() if row["lower"] is not None]
        return Coverage(int(any(not low <= gain <= high for low, high in ends)), 1, 0.05)

    return once


def climb(per_block: float) -> Callable[[Rng], Coverage]:
    """The 95 % interval of momentum's slope, at one look."""

    def once(rng: Rng) -> Coverage:
        gains = np.repeat(np.arange(30) * per_block, 100).astype(np.float64)
        found = slope(momentum(_stream(rng, 3000, 0.1, gains)))
        if found is None:
            return Coverage(0, 0, 0.05)
        return Coverage(int(not found.lower <= per_block <= found.upper), 1, 0.05)

    return once


def off_policy(share: float) -> Callable[[Rng], Coverage]:
    """The 95 % sequence of a candidate's off-policy value; its arm is chosen with `share`, half of it for hard runs."""

    def once(rng: Rng) -> Coverage:
        runs, hard = 800, rng.random(800) < 0.5
        chance = np.where(hard, share / 2, share)
        taken = rng.random(runs) < chance
        log = Logged(
            action=taken.astype(np.int64),
            reward=(rng.random(runs) < np.where(hard, 0.4, 0.9)).astype(np.float64),
            propensity=np.where(taken, chance, 1 - chance),
            target=np.tile([0.0, 1.0], (runs, 1)),
            keep=np.ones(runs),
            features=hard[:, None].astype(np.float64),
            cluster=np.arange(runs),
            supported=np.ones(runs, dtype=np.bool_),
        )
        found = evaluate(log)
        if not isinstance(found, Estimated) or found.sequence is None:
            return Coverage(0, 0, 0.05)
        return Coverage(int(not found.sequence[0] <= 0.65 <= found.sequence[1]), 1, 0.05)

    return once


def _day(  # noqa: PLR0913, PLR0917 - a world in one call
    rng: Rng, arm: int, rate: float, sizes: Ints, rho: float, steps: int
) -> dict[str, object]:
    """A SKILL_DAY_STATS row of one arm, whose runs of one session correlate by `rho`. `sizes`: runs by session."""
    sessions = len(sizes)
    own = rng.beta(rate * (1 / rho - 1), (1 - rate) * (1 / rho - 1), sessions) if rho else np.full(sessions, rate)
    outcome = rng.binomial(steps, np.repeat(own, sizes)) / steps
    weight, session = rng.uniform(0.4, 1, sizes.sum()), np.repeat(np.arange(sessions), sizes)
    w, wy = np.bincount(session, weight), np.bincount(session, weight * outcome)
    runs = len(outcome)
    counts = {"runs": runs, "admitted": runs, "missing": 0, "immature": 0, "refused": 0, "clusters": sessions}
    sums = {"w": weight, "ww": weight**2, "wy": weight * outcome, "wyy": weight * outcome**2}
    return {
        "day": DAY,
        "skill": "skill",
        "arm": f"arm-{arm}|-|-",
        "model": f"arm-{arm}",
        "segment": "none",
        **counts,
        **{f"sum_{name}": float(values.sum()) for name, values in sums.items()},
        "sum_cluster_ww": float(w @ w),
        "sum_cluster_wyw": float(wy @ w),
        "sum_cluster_wywy": float(wy @ wy),
        "costed": 0,
        "sum_cost": 0.0,
        "sum_cost_sq": 0.0,
        "errors": 0,
        "timed": 0,
        "sum_seconds": 0.0,
        "latency_buckets": [0],
    }


def _stream(rng: Rng, runs: int, drift: float, gains: Reals) -> pa.Table:
    """Admitted runs in production and, one in ten, held out; sessions of one to three runs."""
    held = rng.random(runs) < 0.1
    rate = np.linspace(0.55 + drift, 0.55 - drift, runs) + np.where(held, 0.0, gains)
    session = np.cumsum(rng.random(runs) < 0.5)
    made = {
        "skill": pa.array(["skill"] * runs),
        "grain": pa.array(["run"] * runs),
        "outcome": pa.array((rng.random(runs) < rate).astype(np.float64)),
        "segment": pa.array(np.where(held, "holdout", "production")),
        "session_id": pa.array(session).cast(pa.string()),
        "run_id": pa.array([f"{number:06d}" for number in range(runs)]),
        "start_time": pa.array([START + timedelta(minutes=number) for number in range(runs)]),
    }
    return pa.table({name: made[name] for name in GATED_OBSERVATIONS.names if name in made})


SHOWN: Mapping[str, Callable[[Rng], Coverage]] = {
    **{f"trial, {world} world": trial_sequence(world, 0.0) for world in ("steady", "clustered", "drifting")},
    **{f"trial, {world} world": trial_sequence(world, 0.0) for world in ("missing", "adversarial")},
    "trial, candidate 5 points better": trial_sequence("steady", 0.05),
    "trial, candidate 30 points worse": trial_sequence("steady", -0.3),
    "watch: needless rollback, steady": rollback(0.0),
    "watch: needless rollback, drifting": rollback(0.25),
    "watch: lower end, promoted arm 10 points better": since_promotion(0.1),
    "score, runs of their own": scores(80, 1, 0.0),
    "score, sessions of up to 8 runs": scores(40, 8, 0.3),
    "score, few sessions": scores(15, 8, 0.3),
    "score, graded outcomes": scores(80, 1, 0.0, 5),
    "score, graded, sessions of up to 8 runs": scores(40, 8, 0.3, 5),
    "score, graded, few runs": scores(12, 1, 0.0, 5),
    "off-policy value, arm taken in half of the runs": off_policy(0.5),
    "off-policy value, arm taken in one of ten": off_policy(0.133),
    "momentum's lift, no gain": lift(0.0, 0.0),
    "momentum's lift, drifting, gain 10 points": lift(0.25, 0.1),
    "momentum's slope, none": climb(0.0),
    "momentum's slope, 0.5 points a block": climb(0.005),
}


def covered(name: str, count: int, seed: tuple[int, ...]) -> Coverage:
    """So many streams of one kind."""
    rng = np.random.default_rng(seed)
    found = [SHOWN[name](rng) for _ in range(count)]
    return Coverage(sum(one.missed for one in found), sum(one.of for one in found), found[0].nominal)
