"""Fuse votes: the highest tier that may decide, decides; the rest is kept and counted.

Where a tier's authors judge the same examples often enough to tell who is right, and what that teaches
foretells votes at least as well as the majority does, an outcome is the learned probability. Else:

within the tier the outcome is the mean of the votes weighted by evidence (2 × confidence − 1). Its
confidence multiplies the odds of the votes as if they were independent (naive Bayes), each for or
against by how near it is to the weighted median, so that a lone vote keeps its own confidence whatever
its value, and a tie ends at one half. It is capped, for voters are not independent.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flywheel_assets.examples.believe import NOBODY, Believed, believe
from flywheel_assets.examples.statement import TIERS

Numbers = NDArray[np.float64]

# No number of votes makes a label surer than this; a single vote may be, if its labeler is.
CAP = 0.99


def fuse(votes: pa.Table) -> tuple[pa.Table, pa.Table]:
    """One row per example that got votes (outcome, confidence, weight, tier, labelers, votes, dissent), and per author.

    `votes` has example_id, labeler, author_id, tier, value, confidence, decides. Outcome, confidence,
    weight and tier are NULL where no vote decides. The authors' rows are `labeler_reliability` without
    its day.
    """
    examples, example = _numbered(votes.column("example_id"))
    value, confidence = (votes.column(name).to_numpy() for name in ("value", "confidence"))
    place = pc.fill_null(pc.index_in(votes.column("tier"), pa.array(TIERS)), len(TIERS)).to_numpy()
    decides = votes.column("decides").to_numpy().astype(bool) & (place < len(TIERS))
    best = np.full(len(examples), len(TIERS))
    np.minimum.at(best, example[decides], place[decides])
    deciding = np.flatnonzero(decides & (place == best[example]))
    deciding = deciding[np.lexsort((confidence[deciding], value[deciding], example[deciding]))]
    outcome, surety = np.full(len(examples), np.nan), np.full(len(examples), np.nan)
    decided = best < len(TIERS)
    outcome[decided], surety[decided] = _decide(example[deciding], value[deciding], confidence[deciding])
    authors, author = _numbered(votes.column("author_id"))
    heard: list[Believed] = []
    for number, tier in enumerate(TIERS):
        mine = deciding[place[deciding] == number]
        if len(mine):
            believed = believe(tier, example[mine], author[mine], value[mine])
            outcome[believed.examples] = believed.probability
            surety[believed.examples] = np.maximum(believed.probability, 1 - believed.probability)
            heard.append(believed)
    against = (value - 0.5) * (outcome[example] - 0.5) < 0
    labels = pa.table(
        {
            "example_id": examples,
            "outcome": pa.array(outcome, mask=~decided),
            "confidence": pa.array(surety, mask=~decided),
            "weight": pa.array(2 * surety - 1, mask=~decided),
            "tier": pa.array(TIERS, pa.string()).take(pa.array(best, mask=~decided)),
            "labelers": _each(example, votes.column("labeler"), len(examples)),
            "votes": np.bincount(example, minlength=len(examples)),
            "dissent": np.bincount(example[against], minlength=len(examples)),
        }
    )
    return labels, pa.concat_tables([NOBODY, *(one.rows(authors) for one in heard)])


def _numbered(texts: pa.ChunkedArray) -> tuple[pa.StringArray, NDArray[np.int64]]:
    """The different texts in order, and for each text its place among them."""
    different = pc.unique(texts)
    different = different.take(pc.array_sort_indices(different))
    return different, pc.index_in(texts, different).to_numpy().astype(np.int64)


def _each(example: NDArray[np.int64], labeler: pa.ChunkedArray, examples: int) -> pa.ListArray:
    """By example the different labelers, in order."""
    labelers, number = _numbered(labeler)
    pairs = np.unique(example * max(len(labelers), 1) + number)
    owners, numbers = np.divmod(pairs, max(len(labelers), 1))
    return pa.ListArray.from_arrays(
        pa.array(np.searchsorted(owners, np.arange(examples + 1)), pa.int32()), labelers.take(pa.array(numbers))
    )


def _decide(group: NDArray[np.int64], value: Numbers, confidence: Numbers) -> tuple[Numbers, Numbers]:
    """Outcome and confidence by group, from votes of one tier in order of group and value."""
    confidence = np.clip(confidence, 0.5, 1 - 1e-9)
    start = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(np.append(start, len(group)))
    weight = 2 * confidence - 1
    total = np.add.reduceat(weight, start) if len(start) else weight
    lowest, highest = value[start], value[start + size - 1] if len(start) else value
    mean = np.add.reduceat(weight * value, start) / total if len(start) else value
    # One opinion is that opinion exactly, not that opinion times its weight over its weight.
    outcome = np.where(lowest == highest, lowest, np.clip(mean, 0, 1))
    agreement = 1 - 2 * np.abs(value - np.repeat(_median(value, weight, start, size), size))
    logit = np.log(confidence / (1 - confidence)) * agreement
    odds = np.abs(np.add.reduceat(logit, start)) if len(start) else logit
    fused = 1 / (1 + np.exp(-odds))
    surest = np.maximum.reduceat(confidence, start) if len(start) else confidence
    capped = np.round(np.minimum(fused, np.maximum(CAP, surest)), 12)
    return outcome.astype(np.float64), capped.astype(np.float64)


def _median(value: Numbers, weight: Numbers, start: NDArray[np.int64], size: NDArray[np.int64]) -> Numbers:
    """Weighted median by group: the mean of the lower and the upper one."""
    if not len(start):
        return value
    running = np.cumsum(weight)
    base = np.repeat(running[start] - weight[start], size)
    half = np.repeat(np.add.reduceat(weight, start) / 2, size)
    slack = 1e-9
    reached, passed = running - base >= half - slack, running - base > half + slack
    infinite = np.float64(np.inf)
    lower = np.minimum.reduceat(np.where(reached, value, infinite), start)
    upper = np.minimum.reduceat(np.where(passed, value, infinite), start)
    return (lower + np.where(np.isinf(upper), lower, upper)) / 2
