"""Fuse votes: the highest tier that may decide, decides; the rest is kept and counted.

Above all tiers is what people answered about a run of the standing random sample, an anchor: such answers decide
their runs, and put right what lower tiers say of all others (`fusion/calibrate.py`). A tier's votes on runs of one
skill, or on their spans, are a label set; each is fused by the method that it bears out (`believe.py`). A day has few
anchors, so those of earlier days count along (`anchored.py`).
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.examples.anchored import NOBODY, Earlier, Opined, anchored
from flywheel_assets.examples.believe import Believed, Heard, Opinions, authors_of, believe
from flywheel_assets.examples.fusion.stated import stated
from flywheel_assets.examples.fusion.votes import Flags, Index, Numbers
from flywheel_assets.examples.statement import TIERS

ANCHORS = "anchor"
# Who is asked first; what an anchor decides is of the tier of people.
RANKS = (ANCHORS, *TIERS)
NO_RANK = len(RANKS)
NO_SKILL = "-"
GRAINS = ("run", "span")


@dataclass(frozen=True, slots=True)
class _Sets:
    """Numbers of label sets, in order of their ranks: what people said as anchors comes first."""

    skills: pa.StringArray

    def of(self, rank: Index, grain: Index, skill: Index) -> Index:
        return (rank * len(GRAINS) + grain) * len(self.skills) + skill

    def rank(self, number: Index) -> Index:
        return number // (len(GRAINS) * max(len(self.skills), 1))

    def named(self, number: int) -> dict[str, str]:
        """What a set is called in `labeler_reliability`."""
        rest, skill = divmod(number, len(self.skills))
        rank, grain = divmod(rest, len(GRAINS))
        return {"tier": RANKS[rank], "grain": GRAINS[grain], "skill": self.skills[skill].as_py()}


@dataclass(frozen=True, slots=True)
class _Ballots:
    """Votes that are heard: those of the tier that decides, and of every tier on examples with an anchor.

    `opinion` numbers what one label set says of one example; `said`, `example` and `label_set` are by opinion.
    """

    author: Index
    value: Numbers
    opinion: Index
    said: Opinions
    example: Index
    label_set: Index


def fuse(votes: pa.Table, earlier: Earlier = NOBODY) -> tuple[pa.Table, pa.Table, pa.Table]:
    """One row per example that got votes (outcome, confidence, weight, tier, labelers, votes, dissent), and per author.

    `votes` has example_id, grain, skill, labeler, author_id, tier, value, confidence, decides, anchor. Outcome,
    confidence, weight and tier are NULL where no vote decides. The authors' rows are `labeler_reliability`
    without its day. The third table is `anchored_opinions` without its day; where people answered, `votes` needs
    labeler_version, author_version and observed_at too.
    """
    examples, example = _numbered(votes.column("example_id"))
    skills, skill = _numbered(pc.fill_null(votes.column("skill"), NO_SKILL))
    sets, (rank, decides) = _Sets(skills), _ranks(votes)
    best = np.full(len(examples), NO_RANK)
    np.minimum.at(best, example[decides], rank[decides])
    heard = np.flatnonzero(decides & ((rank == best[example]) | (best[example] == 0)))
    grain = pc.index_in(votes.column("grain"), pa.array(GRAINS)).to_numpy().astype(np.int64)
    ballots = _ballots(votes, heard, example, sets.of(rank, grain, skill))
    opinions, reliability, opined = _believed(ballots, sets, best, earlier)
    final = sets.rank(ballots.label_set) == best[ballots.example]
    outcome, surety = np.full(len(examples), np.nan), np.full(len(examples), np.nan)
    outcome[ballots.example[final]], surety[ballots.example[final]] = opinions.outcome[final], opinions.surety[final]
    undecided = best == NO_RANK
    against = (votes.column("value").to_numpy() - 0.5) * (outcome[example] - 0.5) < 0
    labels = {
        "example_id": examples,
        "outcome": pa.array(outcome, mask=undecided),
        "confidence": pa.array(surety, mask=undecided),
        "weight": pa.array(2 * surety - 1, mask=undecided),
        "tier": pa.array((TIERS[0], *TIERS), pa.string()).take(pa.array(best, mask=undecided)),
        "labelers": _each(example, votes.column("labeler"), len(examples)),
        "votes": np.bincount(example, minlength=len(examples)),
        "dissent": np.bincount(example[against], minlength=len(examples)),
    }
    return pa.table(labels), reliability, anchored(opined, votes, examples)


def _ranks(votes: pa.Table) -> tuple[Index, Flags]:
    """By vote its rank, and whether it may decide an outcome."""
    place = pc.add(pc.index_in(votes.column("tier"), pa.array(TIERS)), 1)
    rank = pc.fill_null(place, NO_RANK).to_numpy().astype(np.int64)
    rank = np.where(votes.column("anchor").to_numpy().astype(bool), 0, rank)
    return rank, votes.column("decides").to_numpy().astype(bool) & (rank < NO_RANK)


def _ballots(votes: pa.Table, heard: Index, example: Index, label_set: Index) -> _Ballots:
    value, confidence = (votes.column(name).to_numpy()[heard] for name in ("value", "confidence"))
    group = label_set[heard] * (example.max(initial=0) + 1) + example[heard]
    order = np.lexsort((confidence, value, group))
    heard, value, confidence = heard[order], value[order], confidence[order]
    _, first, opinion = np.unique(group[order], return_index=True, return_inverse=True)
    return _Ballots(
        votes.column("author_id").take(pa.array(heard)),
        value,
        opinion,
        Opinions(*stated(opinion, value, confidence)),
        example[heard[first]],
        label_set[heard[first]],
    )


def _believed(ballots: _Ballots, sets: _Sets, best: Index, earlier: Earlier) -> tuple[Opinions, pa.Table, list[Opined]]:
    """Every opinion as its set's votes are believed, what is known of the sets' authors, and what people answered."""
    outcome, surety = ballots.said.outcome.copy(), ballots.said.surety.copy()
    answers = np.full(len(best), np.nan)
    authors, author = _numbered(ballots.author)
    judged: list[tuple[dict[str, str], Believed]] = []
    opined: list[Opined] = []
    # Opinions, and so votes, are in order of their sets; anchors come first, by which the others are measured.
    numbers, first = np.unique(ballots.label_set, return_index=True)
    for number, start, end in zip(numbers, first, [*first[1:], len(outcome)], strict=False):
        mine = slice(start, end)
        votes = slice(*np.searchsorted(ballots.opinion, (mine.start, mine.stop)))
        heard = Heard(ballots.opinion[votes] - mine.start, author[votes], ballots.value[votes])
        example = ballots.example[mine]
        called = sets.named(int(number))
        found = believe(heard, Opinions(outcome[mine], surety[mine]), answers[example], partial(earlier.on, called))
        outcome[mine], surety[mine] = found.opinions.outcome, found.opinions.surety
        if sets.rank(number) == 0:
            answers[example] = found.opinions.outcome
        judged.append((called, found))
        opined.append(Opined(called, found.basis, example[found.anchored], found.answered))
    return Opinions(outcome, surety), authors_of(judged, authors), opined


def _numbered(texts: pa.ChunkedArray) -> tuple[pa.StringArray, Index]:
    """The different texts in order, and for each text its place among them."""
    different = pc.unique(texts)
    different = different.take(pc.array_sort_indices(different))
    return different, pc.index_in(texts, different).to_numpy().astype(np.int64)


def _each(example: Index, labeler: pa.ChunkedArray, examples: int) -> pa.ListArray:
    """By example the different labelers, in order."""
    labelers, number = _numbered(labeler)
    pairs = np.unique(example * max(len(labelers), 1) + number)
    owners, numbers = np.divmod(pairs, max(len(labelers), 1))
    return pa.ListArray.from_arrays(
        pa.array(np.searchsorted(owners, np.arange(examples + 1)), pa.int32()), labelers.take(pa.array(numbers))
    )
