"""Lessons: what failing runs have in common and successful ones do not, each with its counts.

Three kinds of mark are looked at: the error a run ended with, words of what it was asked, words of
what it answered. A mark is a lesson when runs that bear it fail credibly more often than the others.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import sqrt

from flywheel_assets.candidates.prompts.material import Run

# Bearing runs needed, and how many standard errors their failure rate must lie above the others'.
# Every word is looked at, so the bar is high: 4 is about 1 in 30,000.
LEAST_SUPPORT, LEAST_Z, LEAST_EXCESS = 5, 4.0, 0.15
WORD = re.compile(r"[^\W\d_][\w'-]{2,29}")
CITED = 5
# A lesson about requests: the only one whose runs can be told before they are answered.
ASKED = "Take particular care when the request speaks of “{}”"


@dataclass(frozen=True, slots=True)
class Mark:
    """A recurrent sign of failure: where it was seen, and in how many runs."""

    kind: str
    text: str
    failed: int
    bearing: int
    elsewhere_failed: int
    elsewhere: int
    run_ids: tuple[str, ...]

    @property
    def z(self) -> float:
        """Difference of the two failure rates over its pooled standard error."""
        pooled = (self.failed + self.elsewhere_failed) / (self.bearing + self.elsewhere)
        error = sqrt(pooled * (1 - pooled) * (1 / self.bearing + 1 / self.elsewhere))
        return self.excess / error if error > 0 else 0.0

    @property
    def excess(self) -> float:
        """Failure rate with the mark minus without."""
        return self.failed / self.bearing - self.elsewhere_failed / self.elsewhere

    @property
    def lesson(self) -> str:
        """The mark as a sentence for the prompt, with its counts."""
        counts = f"{self.failed} of {self.bearing} such runs failed, {self.elsewhere_failed} of {self.elsewhere} others"
        said = {
            "error": f"Avoid what ends in “{self.text}”",
            "asked": ASKED.format(self.text),
            "answered": f"Reconsider an answer that says “{self.text}”",
        }
        return f"{said[self.kind]} ({counts})."


def lessons(runs: list[Run], most: int) -> list[Mark]:
    """At most `most` marks, the most telling first; marks borne by the same failures are given once."""
    found = [mark for mark in _marks(runs) if _telling(mark)]
    found.sort(key=lambda mark: (-mark.z, mark.kind, len(mark.text), mark.text))
    kept: list[Mark] = []
    taken: list[set[str]] = []
    for mark in found:
        bearers = set(mark.run_ids)
        if len(kept) < most and not any(len(bearers & other) > 0.5 * len(bearers) for other in taken):
            kept.append(mark)
            taken.append(bearers)
    return kept


def _telling(mark: Mark) -> bool:
    return mark.bearing >= LEAST_SUPPORT and mark.excess >= LEAST_EXCESS and mark.z >= LEAST_Z


def _marks(runs: list[Run]) -> Iterable[Mark]:
    bearers: defaultdict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        for mark in sorted(_borne(run)):
            bearers[mark].append(run)
    total, failed = len(runs), sum(not run.good for run in runs)
    for (kind, text), bearing in bearers.items():
        if len(bearing) < total:
            lost = [run.run_id for run in bearing if not run.good]
            count = len(bearing)
            yield Mark(kind, text, len(lost), count, failed - len(lost), total - count, tuple(lost))


def _borne(run: Run) -> set[tuple[str, str]]:
    asked = {("asked", word) for word in _words(run.question)}
    answered = {("answered", word) for word in _words(run.answer)}
    # What the answer repeats from the question says nothing about answering.
    answered = {(kind, word) for kind, word in answered if ("asked", word) not in asked}
    error = {("error", run.error[:80].replace("\n", " "))} if run.error else set[tuple[str, str]]()
    return asked | answered | error


def _words(text: str) -> set[str]:
    """Telling words, and pairs of neighbours, in lower case. Letters alone: nothing here can be markup."""
    words = WORD.findall(text.lower())
    telling = set(words) - _stop_words()
    return telling | {
        f"{first} {second}" for first, second in pairwise(words) if first in telling and second in telling
    }


@cache
def _stop_words() -> frozenset[str]:
    # They come with a package that takes longer to load than most turns their steps.
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return ENGLISH_STOP_WORDS
