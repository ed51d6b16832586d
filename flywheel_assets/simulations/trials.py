"""Trials in made-up worlds: how often a candidate that is no better is promoted, and how soon a better one is."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from scipy.stats import norm

from flywheel_assets.decisions.criteria.registry import CRITERIA
from flywheel_assets.decisions.register import Proposal, register
from flywheel_assets.decisions.rehearsal import QUIET, Rehearsed, rehearse, telling
from flywheel_assets.decisions.rollout import SkillState
from flywheel_assets.decisions.trial import Conditions, Trial
from flywheel_assets.simulations.worlds import WORLDS, World
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.documents.skills_file import Skill

# A learning step comes every hundred runs; 77 of them are what the public study looked at.
EVERY, LOOKS = 100, 77
SKILLS = 50
# Trials that start together, and looks until the next ones do.
TOGETHER, APART = 5, 8
BUDGET = 0.05
NOW = datetime(1970, 4, 1, tzinfo=UTC)
CONDITIONS = Conditions(predecessor_known=True, as_of=NOW)
ALL, TESTS_ALONE = tuple(CRITERIA), tuple(sorted(QUIET - {"leave_one_out"}))
# All but the one that gives up a trial which could be promoted only late.
WATCHFUL = tuple(name for name in ALL if name != "within_reach")


@dataclass(frozen=True, slots=True)
class Setting:
    """One cell of the study: a world, the true gain, and what is registered."""

    world: str
    gain: float
    base: float = 0.5
    alpha: float = BUDGET
    criteria: tuple[str, ...] = TESTS_ALONE
    canary: float = 0.4
    explore: float = 0.2
    units: int = EVERY * LOOKS
    every: int = EVERY


def registered(
    setting: Setting, position: int = 1, promotions: int = 0, *, budget: float | None = None
) -> Registration:
    """The registration that the wheel would make; with `budget` at e-LOND's α, else at the setting's."""
    skill = Skill(baseline_model="old", canary=setting.canary, explore=setting.explore, max_units=setting.units)
    proposal = Proposal("routing", "new|-|-", "candidate", 0.0, 0.0, "simulated")
    made = register(
        proposal,
        SkillState("skill", "old|-|-"),
        skill,
        budget=budget or BUDGET,
        position=position,
        promotions=promotions,
        now=NOW,
    )
    changed: dict[str, object] = {"criteria": setting.criteria}
    return made.model_copy(update=changed if budget else {**changed, "alpha": setting.alpha})


def run(setting: Setting, registration: Registration, rng: np.random.Generator) -> Rehearsed:
    """One trial in one world, looked at again and again until it is concluded."""
    trial_share = registration.canary_share / (registration.canary_share + registration.incumbent_share)
    world: World = WORLDS[setting.world](rng, setting.units, trial_share, setting.base, setting.gain)
    trial = Trial(registration, world.evidence(), CONDITIONS)
    return rehearse(trial, telling(trial, range(setting.every, setting.units + 1, setting.every)))


def trials(setting: Setting, count: int, seed: tuple[int, ...]) -> list[Rehearsed]:
    """So many independent trials of one candidate each."""
    rng, registration = np.random.default_rng(seed), registered(setting)
    return [run(setting, registration, rng) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class Stream:
    """What a stream of trials came to."""

    promoted: int
    false: int
    better: int
    units: int


def stream(share_better: float, seed: tuple[int, ...]) -> Stream:
    """Fifty skills, five trials begun every eight looks, under one e-LOND budget.

    A share of the candidates is ten points better, the rest is no better; worlds take turns.
    """
    rng = np.random.default_rng(seed)
    worlds = ("steady", "clustered", "drifting", "late", "missing", "adversarial")
    ended: list[tuple[int, bool]] = []
    promoted = false = better = units = 0
    for number in range(SKILLS):
        begins = number // TOGETHER * APART
        before = sum(won for at, won in ended if at <= begins)
        gain = 0.1 if rng.random() < share_better else 0.0
        setting = Setting(worlds[number % len(worlds)], gain, criteria=ALL)
        found = run(setting, registered(setting, number + 1, before, budget=BUDGET), rng)
        won = found.kind == "promoted"
        ended.append((begins + -(-found.units // EVERY), won))
        promoted, false = promoted + won, false + (won and not gain)
        better, units = better + bool(gain), units + found.units
    return Stream(promoted, false, better, units)


def fixed_sample(setting: Setting, power: float = 0.8) -> float:
    """Units that a z-test at the same α and split needs when it looks once, at the end, knowing the variances."""
    candidate = setting.base + setting.gain
    share = setting.canary / (1 - setting.explore)
    variance = candidate * (1 - candidate) / share + setting.base * (1 - setting.base) / (1 - share)
    return float(((norm.ppf(1 - setting.alpha) + norm.ppf(power)) / setting.gain) ** 2 * variance)
