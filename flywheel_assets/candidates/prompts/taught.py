"""What became of lessons that prompts were taught: runs that they apply to, with and without them.

Compared within each day alone, so that neither drift nor the time of a promotion speaks for or against a
lesson. One that credibly harms is retired, and stays away for as long as the evidence stands.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from flywheel_assets.candidates.prompts.compile import lessons_in
from flywheel_assets.candidates.prompts.lessons import ASKED
from flywheel_assets.candidates.prompts.material import Run

# How many standard errors below, and on how many runs with the lesson. Lessons are few, and leaving one out is cheap.
HARMFUL_Z, LEAST_RUNS = -2.5, 10
_ASKED = re.compile(re.escape(ASKED).replace("\\{\\}", "(.+)"))


@dataclass(frozen=True, slots=True)
class Record:
    """A lesson's runs: those that went well and badly with it, and how many standard errors better than without it."""

    helpful: int
    harmful: int
    z: float | None

    @property
    def retired(self) -> bool:
        """Whether runs go credibly worse with it."""
        return self.z is not None and self.z <= HARMFUL_Z and self.helpful + self.harmful >= LEAST_RUNS

    def said(self, lesson: str) -> str:
        """The lesson with its counts."""
        return f"{identity(lesson)} (so far {self.helpful} runs well and {self.harmful} badly with it)."


def identity(lesson: str) -> str:
    """A lesson without its counts: the same one comes back with others."""
    return lesson.rpartition(" (")[0] or lesson


def records(runs: Sequence[Run], texts: Mapping[str, str]) -> dict[str, Record]:
    """Lesson → its record, for every lesson in `texts`, the skill's prompts by version."""
    taught = {version: {identity(lesson) for lesson in lessons_in(text)} for version, text in texts.items()}
    known = [run for run in runs if run.prompt_version in taught]
    return {lesson: _record(lesson, known, taught) for lesson in sorted(set().union(*taught.values()))}


def _record(lesson: str, runs: Sequence[Run], taught: Mapping[str, set[str]]) -> Record:
    counts: Counter[tuple[str, bool, bool]] = Counter()
    for run in runs:
        if _applies(lesson, run):
            counts[run.start[:10], lesson in taught[run.prompt_version], run.good] += 1
    helpful, harmful = (
        sum(n for (_, with_it, good), n in counts.items() if with_it and good is g) for g in (True, False)
    )
    return Record(helpful, harmful, _z(counts))


def _applies(lesson: str, run: Run) -> bool:
    """Whether a run is what the lesson is about. Only the request tells: answer and error may be the lesson's doing."""
    asked = _ASKED.match(lesson)
    return asked is None or asked[1] in run.question.lower()


def _z(counts: Counter[tuple[str, bool, bool]]) -> float | None:
    """Mantel–Haenszel: difference in good runs with and without, summed over days, over its standard error.

    None where no day had both. Source: Mantel and Haenszel, JNCI 1959.
    """
    excess = variance = 0.0
    for day in {day for day, _, _ in counts}:
        a, b = counts[day, True, True], counts[day, True, False]
        c, d = counts[day, False, True], counts[day, False, False]
        n = a + b + c + d
        if a + b and c + d and n > 1:
            excess += a - (a + b) * (a + c) / n
            variance += (a + b) * (c + d) * (a + c) * (b + d) / (n * n * (n - 1))
    return excess / sqrt(variance) if variance > 0 else None
