"""Whether a tier's votes are believed as they say, or by what their authors' agreement teaches."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flywheel_assets.examples.reliability import Learned, Votes, held_out_agreement, learn
from flywheel_assets.tables.labeler_reliability import LABELER_RELIABILITY

Numbers = NDArray[np.float64]
Index = NDArray[np.int64]

NOBODY = LABELER_RELIABILITY.empty().drop_columns(["day"])


@dataclass(frozen=True, slots=True)
class Believed:
    """Examples whose outcome is learned, with its probability (none: votes count as they say); and the authors."""

    tier: str
    examples: Index
    probability: Numbers
    authors: Index
    votes: Index
    learned: Learned | None
    agreement: tuple[float, float] | None

    def rows(self, names: pa.StringArray) -> pa.Table:
        """`labeler_reliability` without its day."""
        size = len(self.authors)
        numbers = {
            name: pa.nulls(size, pa.float64()) if self.learned is None else pa.array(getattr(self.learned, name))
            for name in ("accuracy", "lower", "upper")
        }
        majority, learned = self.agreement or (None, None)
        method = "learned" if len(self.examples) else "stated"
        columns = {
            "tier": pa.repeat(self.tier, size),
            "author_id": names.take(pa.array(self.authors)),
            "votes": pa.array(self.votes),
            **numbers,
            "method": pa.repeat(method, size),
            "majority_agrees": pa.array([majority] * size, pa.float64()),
            "learned_agrees": pa.array([learned] * size, pa.float64()),
        }
        return pa.table(columns).select(NOBODY.column_names).cast(NOBODY.schema)


def believe(tier: str, example: Index, author: Index, value: Numbers) -> Believed:
    """Judge a tier's deciding votes; examples with a vote between for and against keep what their votes say."""
    plain = (value == 0) | (value == 1)
    mixed = np.unique(example[~plain])
    usable = plain & ~np.isin(example, mixed)
    examples, by_example = np.unique(example[usable], return_inverse=True)
    authors, by_author = np.unique(author[usable], return_inverse=True)
    votes = Votes(by_example, by_author, value[usable], len(examples), len(authors))
    count = np.bincount(by_author, minlength=len(authors))
    agreement = held_out_agreement(votes)
    learned = learn(votes) if agreement is not None else None
    better = agreement is not None and agreement[1] >= agreement[0]
    if learned is None or not better:
        none = np.empty(0, np.int64)
        return Believed(tier, none, np.empty(0), authors, count, learned, agreement)
    return Believed(tier, examples, np.round(learned.probability, 12), authors, count, learned, agreement)
