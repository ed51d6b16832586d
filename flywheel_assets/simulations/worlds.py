"""Worlds: streams of randomised units with a known truth, in the order in which their outcomes become known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flywheel_assets.decisions.evidence import UNTOLD, Evidence
from flywheel_assets.decisions.stakes import Flags, Reals

# Units that start on one day.
DAILY = 110


@dataclass(frozen=True, slots=True)
class World:
    """Units in order; an outcome that is never told is NaN. `user`: on whose behalf it runs."""

    candidate: Flags
    outcome: Reals
    user: NDArray[np.int64] | None = None

    def evidence(self) -> Evidence:
        """All units, as the decisions see them."""
        count = len(self.candidate)
        days = pa.array(np.arange(count) // DAILY).cast(pa.string())
        users = pa.nulls(count, pa.string()) if self.user is None else pa.array(self.user).cast(pa.string())
        whole = Evidence.of(self.candidate, self.outcome, day=days, principal=users)
        silent = np.isnan(self.outcome)
        if not silent.any():
            return whole
        untold = whole.rows.filter(pa.array(silent)).select(UNTOLD.names)
        return Evidence(whole.rows.filter(pa.array(~silent)), {}, untold)


class Make(Protocol):
    """Makes a world in which the candidate's success rate is `base` + `gain`."""

    def __call__(self, rng: np.random.Generator, units: int, share: float, base: float, gain: float) -> World:
        """So many units, each given the candidate with probability `share`."""
        ...


def steady(rng: np.random.Generator, units: int, share: float, base: float, gain: float) -> World:
    """Outcomes are independent and nothing changes."""
    candidate = rng.random(units) < share
    return World(candidate, _succeed(rng, base + gain * candidate))


def clustered(rng: np.random.Generator, units: int, share: float, base: float, gain: float) -> World:
    """Forty users with very different success rates, and runs of the same user in bursts."""
    candidate = rng.random(units) < share
    user = np.repeat(rng.integers(0, 40, units // 5 + 1), 5)[:units]
    rates = rng.beta(1.5 * base, 1.5 * (1 - base), 40)[user]
    return World(candidate, _succeed(rng, rates + gain * candidate), user=user)


def drifting(rng: np.random.Generator, units: int, share: float, base: float, gain: float) -> World:
    """Everybody's success rate falls along the stream, by 44 points."""
    candidate = rng.random(units) < share
    return World(candidate, _succeed(rng, np.linspace(base + 0.22, base - 0.22, units) + gain * candidate))


def late(rng: np.random.Generator, units: int, share: float, base: float, gain: float) -> World:
    """Outcomes become known out of order; failures take five times as long to be told."""
    found = steady(rng, units, share, base, gain)
    told = np.argsort(np.arange(units) + rng.exponential(np.where(found.outcome > 0, 60.0, 300.0)))
    return World(found.candidate[told], found.outcome[told])


def missing(rng: np.random.Generator, units: int, share: float, base: float, gain: float) -> World:
    """Four of ten failures and one of ten successes are never told, in both arms alike."""
    found = steady(rng, units * 2, share, base, gain)
    return _silenced(found, rng.random(units * 2) < np.where(found.outcome > 0, 0.1, 0.4), units)


def adversarial(rng: np.random.Generator, units: int, share: float, base: float, gain: float) -> World:
    """Whoever sets the outcomes sees all assignments before, and lifts both arms when the candidate had more units."""
    candidate = rng.random(units) < share
    lead = np.cumsum(candidate - share) - (candidate - share)
    return World(candidate, _succeed(rng, np.where(lead > 0, base + 0.35, base - 0.35) + gain * candidate))


def lost_failures(rng: np.random.Generator, units: int, share: float, base: float, gain: float) -> World:
    """Three of ten failures of the candidate alone are never told: no null, but a broken instrument."""
    found = steady(rng, units * 2, share, base, gain)
    return _silenced(found, found.candidate & (found.outcome == 0) & (rng.random(units * 2) < 0.3), units)


def one_reporter(rng: np.random.Generator, units: int, share: float, base: float, gain: float) -> World:
    """One of twenty users, with a tenth of the units, calls the candidate's runs good and all others bad."""
    found = steady(rng, units, share, base, gain)
    user = np.where(rng.random(units) < 0.1, 0, rng.integers(1, 20, units))
    return World(found.candidate, np.where(user == 0, found.candidate.astype(float), found.outcome), user=user)


# In these the candidate is no better unless `gain` says so.
SOUND: Mapping[str, Make] = {
    "steady": steady,
    "clustered": clustered,
    "drifting": drifting,
    "late": late,
    "missing": missing,
    "adversarial": adversarial,
}
# In these somebody falsifies what is seen.
FALSIFIED: Mapping[str, Make] = {"lost_failures": lost_failures, "one_reporter": one_reporter}
WORLDS: Mapping[str, Callable[..., World]] = {**SOUND, **FALSIFIED}


def _silenced(world: World, untold: Flags, units: int) -> World:
    """As much of the world as has so many outcomes, those of `untold` not among them."""
    ends = int(np.searchsorted(np.cumsum(~untold), units)) + 1
    return World(world.candidate[:ends], np.where(untold, np.nan, world.outcome)[:ends])


def _succeed(rng: np.random.Generator, rate: NDArray[Any]) -> Reals:
    return (rng.random(len(rate)) < rate).astype(np.float64)
