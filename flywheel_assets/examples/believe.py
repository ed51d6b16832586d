"""One label set: its votes become outcomes, by the method that it bears out, and what is known of its authors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from flywheel_assets.examples.anchored import Answered
from flywheel_assets.examples.fusion.calibrate import CLAIMED, LEARNED, LEAST_ANCHORS, Correction, correction
from flywheel_assets.examples.fusion.choose import STATED, Choice, choose
from flywheel_assets.examples.fusion.reliability import reliability
from flywheel_assets.examples.fusion.votes import Flags, Index, Numbers, Votes
from flywheel_assets.tables.labeler_reliability import FORETELLS, LABELER_RELIABILITY

KNOWN = ("accuracy", "lower", "upper")


@dataclass(frozen=True, slots=True)
class Heard:
    """A set's votes, by number of the example (from 0, each with a vote) and of the author."""

    example: Index
    author: Index
    value: Numbers


@dataclass(frozen=True, slots=True)
class Opinions:
    """By example its outcome and how sure it is."""

    outcome: Numbers
    surety: Numbers

    def chance(self) -> Numbers:
        """How likely each is good."""
        return np.where(self.outcome > 0.5, self.surety, np.where(self.outcome < 0.5, 1 - self.surety, 0.5))

    def replaced(self, which: Flags, chance: Numbers) -> "Opinions":
        """Some of them by how likely they are good."""
        rounded = np.round(chance, 12)
        return Opinions(
            np.where(which, rounded, self.outcome), np.where(which, np.maximum(rounded, 1 - rounded), self.surety)
        )


@dataclass(frozen=True, slots=True)
class Believed:
    """What became of the set: its examples' outcomes, and what `labeler_reliability` says of it.

    `anchored` are the examples that people answered about, `answered` their answers and how likely the votes alone
    made them, on what `basis`; `earlier` counts those of the days before.
    """

    opinions: Opinions
    authors: Index
    votes: Index
    choice: Choice | None
    basis: str
    anchored: Index
    answered: Answered
    earlier: int
    correction: Correction | None

    def facts(self) -> dict[str, object]:
        """What `labeler_reliability` says of the set."""
        scores: Mapping[str, float] = {} if self.choice is None else self.choice.scores
        return {
            "method": STATED if self.choice is None else self.choice.method,
            **{column: scores.get(method) for method, column in FORETELLS.items()},
            "anchors": len(self.anchored),
            "earlier_anchors": self.earlier,
            "slope": self.correction.slope if self.correction else None,
            "shift": self.correction.shift if self.correction else None,
            "calibration": self._calibration(),
        }

    def known(self) -> dict[str, Numbers]:
        """By author its accuracy and the interval of it; NaN where nothing was learned."""
        if self.choice is None:
            return dict.fromkeys(KNOWN, np.full(len(self.authors), np.nan))
        learned = reliability(self.choice)
        return {name: getattr(learned, name) for name in KNOWN}

    def _calibration(self) -> str:
        found = f"{len(self.anchored)} anchors and {self.earlier} of earlier days"
        if self.correction is None:
            return f"uncorrected: {found}, {LEAST_ANCHORS} are needed"
        return f"corrected by {found}"


def believe(heard: Heard, said: Opinions, answers: Numbers, earlier: Callable[[str], Answered]) -> Believed:
    """Judge a set's deciding votes; `said` is what they say, `answers` what people answered (NaN: nothing).

    `earlier` gives what they answered on earlier days about opinions on the same basis, 'claimed' or 'learned'.

    Examples with a vote between for and against keep what their votes say: such a vote is a score.
    """
    plain = (heard.value == 0) | (heard.value == 1)
    whole = np.ones(len(said.outcome), np.bool_)
    whole[heard.example[~plain]] = False
    authors, author = np.unique(heard.author, return_inverse=True)
    usable = whole[heard.example]
    examples = np.flatnonzero(whole)
    number = np.cumsum(whole) - 1
    votes = Votes(number[heard.example[usable]], author[usable], heard.value[usable], len(examples), len(authors))
    choice = choose(votes)
    opinions = said
    if choice is not None:
        chance = np.full(len(whole), 0.5)
        chance[examples] = choice.fitted.probability()[choice.patterns.of]
        opinions = said.replaced(whole, chance)
    anchored = np.flatnonzero(whole & ~np.isnan(answers))
    basis, varies = ("claimed", CLAIMED) if choice is None else ("learned", LEARNED)
    answered, before = Answered(opinions.chance()[anchored], answers[anchored]), earlier(basis)
    chances = np.concatenate([before.chance, answered.chance])
    mended = correction(chances, np.concatenate([before.answer, answered.answer]), varies)
    if mended is not None:
        opinions = opinions.replaced(whole, mended(opinions.chance()))
    counted = np.bincount(author, minlength=len(authors))
    return Believed(opinions, authors, counted, choice, basis, anchored, answered, len(before.answer), mended)


def authors_of(sets: Sequence[tuple[Mapping[str, str], Believed]], names: pa.StringArray) -> pa.Table:
    """`labeler_reliability` without its day, of label sets by what they are called there."""
    empty = LABELER_RELIABILITY.empty().drop_columns(["day"])
    if not sets:
        return empty
    facts = [{**called, **found.facts()} for called, found in sets]
    each = np.repeat(np.arange(len(sets)), [len(found.authors) for _, found in sets])
    alike = {name: pa.array([fact[name] for fact in facts], empty.schema.field(name).type) for name in facts[0]}
    known = [found.known() for _, found in sets]
    columns = {
        **{name: column.take(pa.array(each)) for name, column in alike.items()},
        **{name: pa.array(np.concatenate([one[name] for one in known]), from_pandas=True) for name in KNOWN},
        "author_id": names.take(pa.array(np.concatenate([found.authors for _, found in sets]))),
        "votes": pa.array(np.concatenate([found.votes for _, found in sets])),
    }
    return pa.table(columns).select(empty.column_names).cast(empty.schema)
