"""The study as a page: figures in tables, each beside what was promised."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import beta

from flywheel_assets.decisions.rehearsal import Rehearsed
from flywheel_assets.simulations.intervals import Coverage
from flywheel_assets.simulations.study import BETTER, BROKEN, ELSEWHERE, IN_USE, NULLS, Study
from flywheel_assets.simulations.trials import Setting, Stream, fixed_sample

INTRODUCTION = """\
# Simulations

Written by `make simulate` (seed {seed}, {scale:g} of the full number of repetitions); the same seed gives
the same figures. Everything here is made up: worlds with a known truth (`flywheel_assets/simulations/worlds.py`).
What decides in them is the code in use: `register`, the criteria, `judge`'s conjunction, the e-process, e-LOND,
`skill_scores`, `momentum`. Brackets hold 95 % Clopper–Pearson intervals of the simulation itself. **Exceeds** marks
a figure whose whole interval lies beyond what was promised.
"""
NULL_WORDS = """\
## A candidate that is no better

One candidate, 77 looks, one every hundred units, α as stated, the tests alone (no futility stop, no
leave-one-out: whatever else must pass can only lower these figures). A test that is looked at once errs in 5 %
of cases; looked at 77 times, a z-test errs in 28 %.

![False promotions by world](images/simulated-nulls.svg)
"""
LATE_WORDS = """\
Outcomes that come late are taken in the order in which they became known: taken in the order in which the runs
started, each would change all bets after it, and a look would not be one more look at the same process.
"""
STREAM_WORDS = """\
## Fifty skills under one budget

Fifty trials over 77 looks each, five begun every eight looks, every criterion, α by e-LOND from a budget of
0.05, worlds in turn. FDR: false promotions as a share of all promotions, averaged over streams.
"""
POWER_WORDS = """\
## A candidate that is better

Units until promotion, in multiples of what a z-test needs that looks once, at the end, and knows the variances
(80 % power, same α and split); looked at every ten units. The aim is 80 % power at 1.5 times the fixed sample.
Bets on a likelihood ratio alone cannot reach it: that of the true effect, which nobody knows, needs about 1.6 times
at α = 0.0125. Hence the bettors that aim at +5 and +10 points by a horizon. No trial but one that follows several
promotions gets an α as large as 0.05.

![Promoted after so many units](images/simulated-power.svg)
"""
USE_WORDS = """\
## As it is in use

First trial of a stream (α = 0.0125), 4,000 units at most, every criterion.
"""
BROKEN_WORDS = """\
## Falsified outcomes

No statistics on outcomes can tell a better candidate from one that somebody reports to be better. What is
measured here is how often such a candidate is promoted. `one_reporter`: one user with a tenth of all units calls
every run of the candidate good and every other bad. `lost_failures`: three of ten failures of the candidate are
never told.
"""
COVERAGE_WORDS = """\
## Intervals that are shown

Sequences count as missed when they missed at any look. A trial's sequence may miss at each end with
probability α; at 2.5 % an end, 5 % together. The watch after a promotion may call for a rollback, and may miss
with its lower end, at 5 % each. The slope's interval is for one look.

![Misses by interval](images/simulated-coverage.svg)
"""


def chance(count: int, of: int) -> tuple[float, float]:
    """95 % Clopper–Pearson interval of a share."""
    low = float(beta.ppf(0.025, count, of - count + 1)) if count else 0.0
    return low, float(beta.ppf(0.975, count + 1, of - count)) if count < of else 1.0


def page(study: Study) -> str:
    """The whole report."""
    parts = [
        INTRODUCTION.format(seed=study.seed, scale=study.scale),
        NULL_WORDS,
        table(["world", "promoted", "trials", "share", "promised"], _nulls(study.nulls)),
        LATE_WORDS,
        STREAM_WORDS,
        table(
            [
                "stream",
                "streams",
                "promotions a stream",
                "FDR",
                "streams with a false promotion",
                "found of the better",
            ],
            [_stream(name, found) for name, found in study.streams.items()],
        ),
        POWER_WORDS,
        table(
            ["candidate", "fixed sample", "mean", "median", "80 % promoted at", "promoted at 1×", "at 1.5×", "at 2×"],
            [_power(name, BETTER[name], found) for name, found in study.better.items()],
        ),
        "The same ten points, from 50 %, at α = 0.0125, in other worlds, 3,000 units at most:\n",
        table(["world", "promoted", "median units", "mean units"], _elsewhere(study.elsewhere)),
        USE_WORDS,
        table(
            ["true difference", "promoted", "given up", "undecided", "median units to the end", "mean units"],
            [_in_use(name, found) for name, found in study.in_use.items()],
        ),
        BROKEN_WORDS,
        table(["world and criteria", "promoted", "trials"], _broken(study.broken)),
        COVERAGE_WORDS,
        table(["interval", "missed", "of", "share", "promised"], _coverage(study.coverage)),
    ]
    return "\n".join(parts)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; what is not words is set to the right."""
    lines = [header, ["---", *(["---:"] * (len(header) - 1))], *rows]
    return "\n".join("| " + " | ".join(str(one) for one in line) + " |" for line in lines) + "\n"


def share(count: int, of: int, promised: float | None = None) -> str:
    """A share with its interval, and whether all of that exceeds what was promised."""
    low, high = chance(count, of)
    mark = " **exceeds**" if promised is not None and low > promised else ""
    return f"{count / of:.1%} [{low:.1%}, {high:.1%}]{mark}"


def promoted(found: Sequence[Rehearsed]) -> int:
    """How many ended in a promotion."""
    return sum(one.kind == "promoted" for one in found)


def _nulls(cells: Mapping[str, Sequence[Rehearsed]]) -> list[list[object]]:
    return [
        [name, promoted(found), len(found), share(promoted(found), len(found), NULLS[name].alpha), NULLS[name].alpha]
        for name, found in cells.items()
    ]


def _stream(name: str, found: Sequence[Stream]) -> list[object]:
    rates = np.array([one.false / max(one.promoted, 1) for one in found])
    better = sum(one.better for one in found)
    right = sum(one.promoted - one.false for one in found)
    return [
        name,
        len(found),
        f"{np.mean([one.promoted for one in found]):.2f}",
        f"{rates.mean():.2%} ± {1.96 * rates.std() / len(rates) ** 0.5:.2%}",
        share(sum(one.false > 0 for one in found), len(found)),
        f"{right / better:.0%}" if better else "–",
    ]


def _power(name: str, setting: Setting, found: Sequence[Rehearsed]) -> list[object]:
    fixed = fixed_sample(setting)
    units = np.array([one.units if one.kind == "promoted" else np.inf for one in found]) / fixed
    by = [f"{np.mean(units <= multiple):.0%}" for multiple in (1, 1.5, 2)]
    ended = np.minimum(units, 5.0)
    return [
        name,
        f"{fixed:,.0f}",
        *(f"{one:.2f}×" for one in (ended.mean(), np.median(ended), np.quantile(ended, 0.8))),
        *by,
    ]


def _elsewhere(cells: Mapping[str, Sequence[Rehearsed]]) -> list[list[object]]:
    return [
        [name, share(promoted(found), len(found)), f"{np.median(ended):,.0f}", f"{np.mean(ended):,.0f}"]
        for name, found in cells.items()
        if (ended := [one.units for one in found]) and name in ELSEWHERE
    ]


def _in_use(name: str, found: Sequence[Rehearsed]) -> list[object]:
    kinds = [one.kind for one in found]
    ended = [one.units for one in found]
    counts = (kinds.count("promoted"), kinds.count("abandoned"), kinds.count("held"))
    shares = [share(count, len(found)) if name in IN_USE else count for count in counts]
    return [name, *shares, f"{np.median(ended):,.0f}", f"{np.mean(ended):,.0f}"]


def _broken(cells: Mapping[str, Sequence[Rehearsed]]) -> list[list[object]]:
    return [[name, share(promoted(found), len(found)), len(found)] for name, found in cells.items() if name in BROKEN]


def _coverage(cells: Mapping[str, Coverage]) -> list[list[object]]:
    return [
        [name, found.missed, found.of, share(found.missed, found.of, found.nominal), f"{found.nominal:g}"]
        for name, found in cells.items()
    ]
