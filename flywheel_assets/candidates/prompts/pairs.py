"""Lessons from answers that were put right: words that were replaced in the same way again and again.

A pair is a failing answer with what would have been right: somebody's correction, or what the same
session accepted soon after for much the same request.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import pyarrow as pa

from flywheel_assets.candidates.prompts.material import Run

# Pairs needed, of different runs, and how many times as many as say the opposite.
LEAST_PAIRS, LEAST_RATIO = 3, 4
MOST_WORDS = 6
# Requests of one session that share so many of their words are the same one, asked again.
ALIKE = 0.5
_WORD = re.compile(r"[^\W_][\w'-]*")


@dataclass(frozen=True, slots=True)
class Pair:
    """What a run answered, and what would have been right."""

    run_id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """Words that were put right in the same way in several runs."""

    before: str
    after: str
    run_ids: tuple[str, ...]

    @property
    def lesson(self) -> str:
        """As a sentence for the prompt, with its count."""
        return f"Say “{self.after}”, not “{self.before}” (put right in {len(self.run_ids)} runs)."


def corrected(rows: pa.Table, unteachable: Callable[[str], str | None]) -> dict[str, str]:
    """Run id → the newest answer that a registered author showed to be right, from CORRECTIONS rows."""
    found: dict[str, str] = {}
    for row in rows.sort_by([("observed_at", "ascending"), ("feedback_id", "ascending")]).to_pylist():
        of_run = row["kind"] == "correction" and row["target_kind"] == "run"
        if of_run and row["author_id"] != "unregistered" and unteachable(row["after"]) is None:
            found[row["target_id"]] = row["after"]
    return found


def pairs(runs: Sequence[Run], corrections: Mapping[str, str]) -> list[Pair]:
    """Every failing run that was put right; `corrections` are by run id."""
    found: list[Pair] = []
    sessions: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        sessions[run.session].append(run)
    for run in runs:
        if run.good or not run.answer:
            continue
        after = corrections.get(run.run_id) or _accepted_later(run, sessions[run.session])
        if after:
            found.append(Pair(run.run_id, run.answer, after))
    return found


def replacements(found: Iterable[Pair], most: int) -> list[Replacement]:
    """At most `most`, those with most runs behind them first."""
    seen: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for pair in found:
        for change in _changes(pair):
            seen[change].add(pair.run_id)
    kept = [
        Replacement(before, after, tuple(sorted(run_ids)))
        for (before, after), run_ids in seen.items()
        if len(run_ids) >= max(LEAST_PAIRS, LEAST_RATIO * len(seen.get((after, before), ())))
    ]
    return sorted(kept, key=lambda one: (-len(one.run_ids), one.before, one.after))[:most]


def _changes(pair: Pair) -> set[tuple[str, str]]:
    """Stretches of words, in lower case, that one has in place of the other's. Words alone: none can be markup."""
    before, after = (_WORD.findall(text.lower()) for text in (pair.before, pair.after))
    matched = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    stretches = [(before[a:b], after[c:d]) for tag, a, b, c, d in matched if tag == "replace"]
    return {(" ".join(old), " ".join(new)) for old, new in stretches if max(len(old), len(new)) <= MOST_WORDS}


def _accepted_later(run: Run, session: Sequence[Run]) -> str | None:
    asked = set(_WORD.findall(run.question.lower()))
    for other in session:
        words = set(_WORD.findall(other.question.lower()))
        alike = len(asked & words) >= ALIKE * len(asked | words)
        if other.good and other.answer and other.start > run.start and asked and alike:
            return other.answer
    return None
