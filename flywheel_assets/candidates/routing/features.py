"""What a contextual policy can see of a request: hashed n-grams, and context as classes or numbers.

The words' many buckets, and the many numbers of an embedding, are reduced by a truncated SVD that is
fitted on requests alone, outcomes unseen; its axes are folded back into one weight per bucket or number
before a scorer is published.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from flywheel_assets.tables.documents.scorer import Numbers, buckets, numbers, shape

BUCKETS = 2048
AXES = 32
AXES_OF_NUMBERS = 64
# A class of context that fewer requests have is not told apart from the rest.
LEAST_OF_CLASS = 5
MOST_CLASSES = 200
MOST_KEYS = 50
# The mean spread of an axis, so that one ridge penalty fits them all.
SPREAD = 0.3
# A number's reach is its distance from the median that one request in a hundred exceeds.
REACHED = 0.99
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests: their words as rows of a sparse matrix of norm 1, and their context entries.

    `numbers`: by key, requests × as many numbers as most entries of the key have; NaN where one has others.
    """

    buckets: int
    words: csr_matrix
    entries: tuple[Mapping[str, str], ...]
    numbers: Mapping[str, Reals]

    @classmethod
    def of(cls, texts: Sequence[str], contexts: Sequence[Mapping[str, Any]], count: int = BUCKETS) -> Self:
        """Read requests as a scorer does."""
        found = [buckets(text, count) for text in texts]
        sizes = np.array([len(one) for one in found], dtype=np.int64)
        values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes)
        columns = np.concatenate([*(np.array(one, dtype=np.int64) for one in found), np.array([], dtype=np.int64)])
        words = csr_matrix((values, columns, np.concatenate([[0], np.cumsum(sizes)])), shape=(len(texts), count))
        said = ({key: value for key, value in one.items() if isinstance(value, str)} for one in contexts)
        entries = tuple({**one, **shape(text)} for one, text in zip(said, texts, strict=True))
        return cls(count, words, entries, _numbers(contexts))

    def __len__(self) -> int:
        return len(self.entries)

    def take(self, rows: NDArray[np.int64]) -> "Asked":
        """Some of them."""
        return Asked(
            self.buckets,
            csr_matrix(self.words[rows]),
            tuple(self.entries[row] for row in rows),
            {key: table[rows] for key, table in self.numbers.items()},
        )

    def deviations(self, key: str, known: Numbers) -> Reals:
        """`Numbers.deviations` of every request, requests × numbers."""
        table = self.numbers.get(key, np.zeros((len(self), 0)))
        if table.shape[1] != len(known.centre):
            return np.zeros((len(self), len(known.centre)))
        reach = np.array(known.reach)
        return np.nan_to_num(np.clip(table - np.array(known.centre), -reach, reach))


@dataclass(frozen=True, slots=True)
class Scale:
    """How the numbers of a context entry become columns: deviations along axes (numbers × k)."""

    key: str
    known: Numbers
    axes: Reals

    def columns(self, asked: Asked) -> Reals:
        """Requests × k."""
        return asked.deviations(self.key, self.known) @ self.axes


@dataclass(frozen=True, slots=True)
class Lens:
    """How requests become columns: axes of words and of lists of numbers, then single numbers, then classes.

    `axes`: buckets × k, of the words. `classes`: one column per class of context.
    """

    axes: Reals
    classes: tuple[tuple[str, str], ...]
    lists: tuple[Scale, ...] = ()
    singles: tuple[Scale, ...] = ()

    @property
    def along(self) -> int:
        """Columns that are axes of many words or numbers; each by itself says little."""
        return self.axes.shape[1] + sum(scale.axes.shape[1] for scale in self.lists)

    @property
    def apart(self) -> int:
        """Columns that stand for themselves."""
        return len(self.singles) + len(self.classes)

    def columns(self, asked: Asked) -> Reals:
        """Requests × columns."""
        place = {name: index for index, name in enumerate(self.classes)}
        table = np.zeros((len(asked), len(self.classes)))
        for row, entries in enumerate(asked.entries):
            for entry in entries.items():
                at = place.get(entry)
                if at is not None:
                    table[row, at] = 1.0
        said = [scale.columns(asked) for scale in (*self.lists, *self.singles)]
        return np.hstack([np.asarray(asked.words @ self.axes), *said, table])

    def folded(self, weights: Reals) -> tuple[Reals, dict[str, Reals], Reals]:
        """Weights of columns (arms × columns) as weights of buckets, of each key's numbers, and of classes."""
        words, at = weights[:, : self.axes.shape[1]] @ self.axes.T, self.axes.shape[1]
        by_key: dict[str, Reals] = {}
        for scale in (*self.lists, *self.singles):
            width = scale.axes.shape[1]
            by_key[scale.key] = weights[:, at : at + width] @ scale.axes.T
            at += width
        return words, by_key, weights[:, at:]


def lens(asked: Asked, axes: int = AXES) -> Lens:
    """Fitted on requests; the same requests give the same lens."""
    counts = Counter(entry for entries in asked.entries for entry in entries.items())
    constant = {entry for entry, count in counts.items() if count == len(asked)}
    common = [entry for entry, count in counts.most_common() if count >= LEAST_OF_CLASS and entry not in constant]
    scales = [scale for key in _keys(asked) if (scale := _scale(asked, key))]
    return Lens(
        _scaled(asked.words, axes),
        tuple(sorted(common[:MOST_CLASSES])),
        tuple(scale for scale in scales if len(scale.known.centre) > 1),
        tuple(scale for scale in scales if len(scale.known.centre) == 1),
    )


def _scaled(table: csr_matrix | Reals, axes: int) -> Reals:
    """Axes (columns of the table × k) along which requests differ most, on one scale, the weakest left small.

    Not more than one for ten requests; an axis on which the requests do not differ carries nothing.
    """
    rows, width = cast("tuple[int, int]", table.shape)
    k = min(axes, rows // 10, width - 1)
    if k < 1 or not abs(table).sum():
        return np.zeros((width, 0))
    # It takes longer to load than most turns their steps.
    from sklearn.decomposition import TruncatedSVD

    found = np.asarray(TruncatedSVD(k, random_state=0).fit(table).components_, dtype=np.float64).T
    spread = np.asarray(table @ found).std(axis=0)
    kept = spread > 1e-6
    return found[:, kept] * (SPREAD / max(float(spread[kept].mean()), 1e-6) if kept.any() else 1.0)


def _keys(asked: Asked) -> list[str]:
    """Keys whose numbers enough requests have, the commonest where there are many."""
    known = {key: int((~np.isnan(table[:, 0])).sum()) for key, table in asked.numbers.items()}
    common = sorted(
        (key for key, count in known.items() if count >= LEAST_OF_CLASS), key=lambda key: (-known[key], key)
    )
    return sorted(common[:MOST_KEYS])


def _scale(asked: Asked, key: str) -> Scale | None:
    """Numbers with their median as the centre; None where all requests have the same."""
    table = asked.numbers[key]
    table = table[~np.isnan(table[:, 0])]
    centre = short(np.median(table, axis=0))
    reach = short(np.quantile(np.abs(table - centre), REACHED, axis=0))
    known = Numbers(centre=tuple(centre.tolist()), reach=tuple(reach.tolist()))
    unit = np.divide(1.0, reach, out=np.zeros_like(reach), where=reach > 0)
    found = _scaled(asked.deviations(key, known) * unit, AXES_OF_NUMBERS) if len(reach) > 1 else np.ones((1, 1))
    return Scale(key, known, unit[:, None] * found) if unit.any() and found.size else None


def short(values: Reals) -> Reals:
    """To six digits, as published."""
    return np.array([float(f"{value:.6g}") for value in values.tolist()])


def _numbers(contexts: Sequence[Mapping[str, Any]]) -> dict[str, Reals]:
    found: dict[str, dict[int, list[float]]] = {}
    for row, context in enumerate(contexts):
        for key, value in context.items():
            if not isinstance(value, str) and (said := numbers(value)):
                found.setdefault(key, {})[row] = said
    tables: dict[str, Reals] = {}
    for key, by_row in found.items():
        width = Counter(len(said) for said in by_row.values()).most_common(1)[0][0]
        table = np.full((len(contexts), width), np.nan)
        for row, said in by_row.items():
            if len(said) == width:
                table[row] = said
        tables[key] = table
    return tables
