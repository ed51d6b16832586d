"""What a contextual policy can see of a request: hashed n-grams, and context as classes.

The words' many buckets are reduced by a truncated SVD that is fitted on requests alone, outcomes
unseen; its axes are folded back into one weight per bucket before a scorer is published.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD

from flywheel_assets.tables.documents.scorer import buckets, shape

BUCKETS = 2048
AXES = 32
# A class of context that fewer requests have is not told apart from the rest.
LEAST_OF_CLASS = 5
MOST_CLASSES = 200
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests: their words as rows of a sparse matrix of norm 1, and their context entries."""

    buckets: int
    words: csr_matrix
    entries: tuple[Mapping[str, str], ...]

    @classmethod
    def of(cls, texts: Sequence[str], contexts: Sequence[Mapping[str, Any]], count: int = BUCKETS) -> Self:
        """Read requests as a scorer does."""
        found = [buckets(text, count) for text in texts]
        sizes = np.array([len(one) for one in found], dtype=np.int64)
        values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes)
        columns = np.concatenate([*(np.array(one, dtype=np.int64) for one in found), np.array([], dtype=np.int64)])
        words = csr_matrix((values, columns, np.concatenate([[0], np.cumsum(sizes)])), shape=(len(texts), count))
        said = ({key: value for key, value in one.items() if isinstance(value, str)} for one in contexts)
        return cls(count, words, tuple({**one, **shape(text)} for one, text in zip(said, texts, strict=True)))

    def __len__(self) -> int:
        return len(self.entries)

    def take(self, rows: NDArray[np.int64]) -> "Asked":
        """Some of them."""
        return Asked(self.buckets, csr_matrix(self.words[rows]), tuple(self.entries[row] for row in rows))


@dataclass(frozen=True, slots=True)
class Lens:
    """How requests become columns: axes (buckets × k) first, then one column per class of context."""

    axes: Reals
    classes: tuple[tuple[str, str], ...]

    def columns(self, asked: Asked) -> Reals:
        """Requests × columns."""
        place = {name: index for index, name in enumerate(self.classes)}
        table = np.zeros((len(asked), len(self.classes)))
        for row, entries in enumerate(asked.entries):
            for entry in entries.items():
                at = place.get(entry)
                if at is not None:
                    table[row, at] = 1.0
        return np.hstack([np.asarray(asked.words @ self.axes), table])


def lens(asked: Asked, axes: int = AXES) -> Lens:
    """Fitted on requests; the same requests give the same lens."""
    counts = Counter(entry for entries in asked.entries for entry in entries.items())
    constant = {entry for entry, count in counts.items() if count == len(asked)}
    common = [entry for entry, count in counts.most_common() if count >= LEAST_OF_CLASS and entry not in constant]
    k = min(axes, len(asked) // 10, asked.buckets - 1)
    if k < 1 or asked.words.nnz == 0:
        return Lens(np.zeros((asked.buckets, 0)), tuple(sorted(common[:MOST_CLASSES])))
    axes_found = np.asarray(TruncatedSVD(k, random_state=0).fit(asked.words).components_, dtype=np.float64).T
    spread = np.asarray(asked.words @ axes_found).std(axis=0)
    # An axis on which the requests do not differ carries nothing.
    kept = spread > 1e-6
    # Axes on one scale, so that one ridge penalty fits them all; the weakest are left small.
    scale = 0.3 / max(float(spread[kept].mean()), 1e-6) if kept.any() else 1.0
    return Lens(axes_found[:, kept] * scale, tuple(sorted(common[:MOST_CLASSES])))
