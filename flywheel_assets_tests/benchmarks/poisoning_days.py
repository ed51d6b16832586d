"""What a small poison does over four weeks, and how often somebody honest is taken for a poisoner, in many worlds.

Each world is a stream of tallies: five services, three arms, the best two points above the next. Services differ in
how hard their tasks are, the last by ten points; and, as real ones do, in how well each arm suits their tasks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import numpy as np
import numpy.typing as npt

from flywheel_assets.lake.session import connection
from flywheel_assets.observations.sources import watch
from flywheel_assets.tables.source_tallies import SOURCE_TALLIES
from flywheel_assets_tests.benchmarks.poisoning import BAD, DAY, EACH, SERVICES

RATES = {"large": 0.80, "middle": 0.78, "small": 0.40}
DAYS = 28
# Days after which the sources are looked at: of every day would take three times as long and say the same.
LOOKS = (1, 2, 3, 4, 5, 7, 10, 14, 21, 28)
SEEDS = 30
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class World:
    """`suits`: standard deviation of how well arms suit services. `flipped`: share of the bad one's best arm."""

    suits: float = 0.0
    flipped: float = 0.0


WORLDS: Mapping[str, World] = {
    "all honest": World(),
    "all honest, arms suit services within 2 points": World(suits=0.02),
    "all honest, within 5 points": World(suits=0.05),
    "5 % of the best arm's outcomes flipped": World(flipped=0.25),
    "5 % flipped, arms suit services within 2 points": World(suits=0.02, flipped=0.25),
    "10 % flipped": World(flipped=0.5),
}


@dataclass(frozen=True, slots=True)
class Stream:
    """What became of one stream. Points are hundredths of an outcome.

    `found`: days after which the bad one was held (None: never). `honest`: honest services that were ever held.
    `scores`: how far the arm that moved most is from the same stream left alone, at the end, without gates and
    with them; `between`: the same of differences of arms; `quality`: what the arm that scores best is short of the
    best one's true rate.
    """

    found: int | None
    honest: int
    scores: tuple[float, float]
    between: tuple[float, float]
    quality: tuple[float, float]


def stream(world: World, seed: int) -> Stream:
    """One stream of the world, looked at day by day."""
    rng = np.random.default_rng(seed)
    runs, clean = _honest(world, rng)
    good = clean.copy()
    bad = SERVICES.index(BAD)
    lost = rng.binomial(clean[:, bad, 0].astype(int), world.flipped)
    won = rng.binomial((runs - clean)[:, bad, 0].astype(int), world.flipped)
    good[:, bad, 0] += won - lost
    found, honest, kept = None, set[str](), np.ones_like(runs)
    for look, since, service in _held(runs, good):
        if service == BAD and world.flipped:
            found = found or look
        else:
            honest.add(service)
        kept[since:, SERVICES.index(service)] = 0
    left = _scores(runs, clean)
    after = [_scores(runs, good), _scores(runs * kept, good * kept)]
    rates = np.array(list(RATES.values()))
    return Stream(
        found,
        len(honest),
        *(
            (float(pair[0]), float(pair[1]))
            for pair in (
                [100 * np.abs(one - left).max() for one in after],
                [100 * np.ptp(one - left) for one in after],
                [100 * (rates.max() - rates[one.argmax()]) for one in after],
            )
        ),
    )


def _honest(world: World, rng: np.random.Generator) -> tuple[Reals, Reals]:
    """Runs and successes by day, service and arm."""
    level = rng.normal(0, 0.05, len(SERVICES)) - 0.1 * (np.arange(len(SERVICES)) == len(SERVICES) - 1)
    rates = np.array(list(RATES.values())) + level[:, None] + rng.normal(0, world.suits, (len(SERVICES), len(RATES)))
    runs = rng.poisson(EACH, (DAYS, len(SERVICES), len(RATES)))
    return runs.astype(float), rng.binomial(runs, np.clip(rates, 0.01, 0.99)).astype(float)


def _held(runs: Reals, good: Reals) -> Iterator[tuple[int, int, str]]:
    """After how many days which service is held, from which day on."""
    con = connection()
    rows = [
        {"day": DAY + timedelta(days=day), "skill": "triage", "source": service, "arm": arm, "runs": int(n),
         "outcomes": float(y), "spread": float(y * (1 - y / n))}
        for day in range(DAYS)
        for i, service in enumerate(SERVICES)
        for j, arm in enumerate(RATES)
        if (n := runs[day, i, j]) and (y := good[day, i, j]) is not None
    ]  # fmt: skip
    con.register("source_tallies", SOURCE_TALLIES.rows(rows))
    for look in LOOKS:
        for row in watch(con, DAY + timedelta(days=look - 1))[0].to_pylist():
            yield look, max((row["since"] - DAY).days, 0), row["source"]


def _scores(runs: Reals, good: Reals) -> Reals:
    return good.sum(axis=(0, 1)) / runs.sum(axis=(0, 1))


def section(seeds: int = SEEDS, mapped: Callable[..., Iterable[str]] = map) -> list[str]:
    """The table of the page; `mapped` may compute the worlds side by side."""
    names = ["world", "streams in which it was found", "after days, median (nine of ten)"]
    names += ["streams with somebody honest held", "scores moved, without → with the gate", "arms' differences moved"]
    names += ["quality of the arm that scores best, less"]
    lines = [f"| {' | '.join(names)} |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    return [*lines, *mapped(partial(_line, seeds), WORLDS)]


def _line(seeds: int, name: str) -> str:
    world = WORLDS[name]
    seen = [stream(world, seed) for seed in range(seeds)]
    days = [one.found for one in seen if one.found is not None]
    when = f"{np.median(days):.0f} ({np.quantile(days, 0.9):.0f})" if days else "–"
    found = f"{len(days)} of {seeds}" if world.flipped else "–"
    honest = sum(one.honest > 0 for one in seen)
    moved = [_both([getattr(one, of) for one in seen]) for of in ("scores", "between", "quality")]
    return f"| {name} | {found} | {when} | {honest} of {seeds} | {' | '.join(moved)} |"


def _both(pairs: Sequence[tuple[float, float]]) -> str:
    before, after = np.mean(pairs, axis=0)
    return f"{before:.2f} → {after:.2f}"
