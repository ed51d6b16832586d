"""The study: which cells are simulated, how many times, and what they came to.

Every cell is cut into pieces with seeds of their own, so that the figures do not depend on how many
processes share the work.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from typing import Any, TypeVar

from flywheel_assets.decisions.rehearsal import Rehearsed
from flywheel_assets.simulations.intervals import SHOWN, Coverage, covered
from flywheel_assets.simulations.trials import ALL, WATCHFUL, Setting, Stream, fixed_sample, stream, trials
from flywheel_assets.simulations.worlds import FALSIFIED, SOUND

PIECES = 8
Found = TypeVar("Found")
NULLS: Mapping[str, Setting] = {
    **{world: Setting(world, 0.0) for world in SOUND},
    "steady, nine of ten succeed": Setting("steady", 0.0, base=0.9),
    "steady, canary 10 %": Setting("steady", 0.0, canary=0.1, explore=0.1),
    "steady, first α of the stream": Setting("steady", 0.0, alpha=0.0125),
}
BETTER: Mapping[str, Setting] = {
    f"+{round(100 * gain)} points on {round(100 * base)} %, α {alpha}": Setting(
        "steady", gain, base=base, alpha=alpha, canary=0.4, explore=0.2
    )
    for alpha in (0.0125, 0.05)
    for base in (0.5, 0.8)
    for gain in (0.05, 0.1)
}
ELSEWHERE: Mapping[str, Setting] = {
    world: Setting(world, 0.1, alpha=0.0125, units=3000) for world in SOUND if world != "steady"
}
IN_USE: Mapping[str, Setting] = {
    f"{points:+} points": Setting("steady", points / 100, alpha=0.0125, criteria=ALL, units=4000)
    for points in (-10, -5, 0, 3, 5, 10, 20)
}
BROKEN: Mapping[str, Setting] = {
    f"{world}, {words}": Setting(world, 0.0, criteria=criteria)
    for world in FALSIFIED
    for words, criteria in (("tests alone", Setting(world, 0.0).criteria), ("every criterion", WATCHFUL))
}
MIXES: Mapping[str, float] = {"no candidate is better": 0.0, "one in five is better": 0.2}


@dataclass(slots=True)
class Study:
    """All that was counted, by cell."""

    seed: int
    scale: float
    nulls: dict[str, list[Rehearsed]] = field(default_factory=dict[str, list[Rehearsed]])
    better: dict[str, list[Rehearsed]] = field(default_factory=dict[str, list[Rehearsed]])
    elsewhere: dict[str, list[Rehearsed]] = field(default_factory=dict[str, list[Rehearsed]])
    in_use: dict[str, list[Rehearsed]] = field(default_factory=dict[str, list[Rehearsed]])
    broken: dict[str, list[Rehearsed]] = field(default_factory=dict[str, list[Rehearsed]])
    streams: dict[str, list[Stream]] = field(default_factory=dict[str, list[Stream]])
    coverage: dict[str, Coverage] = field(default_factory=dict[str, Coverage])


def long_enough(setting: Setting) -> Setting:
    """The same with so many units that the test all but surely ends."""
    return replace(setting, units=-(-int(5 * fixed_sample(setting)) // 100) * 100, every=10)


def conduct(seed: int, scale: float, processes: int, say: Callable[[str], None]) -> Study:
    """Everything, `scale` times the full number of repetitions."""
    study = Study(seed, scale)
    groups: list[tuple[dict[str, list[Rehearsed]], Mapping[str, Setting], int]] = [
        (study.nulls, NULLS, 2000),
        (study.better, {name: long_enough(one) for name, one in BETTER.items()}, 600),
        (study.elsewhere, ELSEWHERE, 400),
        (study.in_use, IN_USE, 400),
        (study.broken, BROKEN, 200),
    ]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        shared = _Shared(pool, seed, scale, say)
        for into, cells, count in groups:
            for cell, setting in cells.items():
                # These are judged anew at every look.
                slow = into is study.broken and setting.criteria == WATCHFUL
                fewer = count // 4 if slow else count
                into[cell] = sum(shared.out(cell, trials, setting, fewer), start=list[Rehearsed]())
        for cell, share in MIXES.items():
            study.streams[cell] = sum(shared.out(cell, streams, share, 80), start=list[Stream]())
        for cell in SHOWN:
            found = shared.out(cell, covered, cell, 400 if "momentum" in cell else 800)
            study.coverage[cell] = Coverage(
                sum(one.missed for one in found), sum(one.of for one in found), found[0].nominal
            )
    return study


@dataclass(slots=True)
class _Shared:
    """Work cut into pieces for several processes."""

    pool: Executor
    seed: int
    scale: float
    say: Callable[[str], None]
    number: int = 0

    def out(
        self, cell: str, work: Callable[[Any, int, tuple[int, ...]], Found], what: object, count: int
    ) -> list[Found]:
        """What every piece found; `count` repetitions between them at full scale."""
        self.number += 1
        each = max(1, round(count * self.scale / PIECES))
        seeds = [(self.seed, self.number, piece) for piece in range(PIECES)]
        found = list(self.pool.map(work, [what] * PIECES, [each] * PIECES, seeds))
        self.say(cell)
        return found


def streams(share_better: float, count: int, seed: tuple[int, ...]) -> list[Stream]:
    """So many streams of fifty trials over 77 looks each."""
    return [stream(share_better, (*seed, number)) for number in range(count)]
