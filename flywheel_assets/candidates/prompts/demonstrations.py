"""Demonstrations: few successes that differ as much as possible.

Farthest-first traversal (k-center; Gonzalez, "Clustering to minimize the maximum intercluster
distance", TCS 1985) over hashed word n-grams of the question, from the most typical success outwards.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from flywheel_assets.candidates.prompts.material import Run

FEATURES = 2**14
# The traversal is quadratic in nothing but k; the limit bounds memory.
MOST_CONSIDERED = 2000
MOST_CHARACTERS = 1200


def demonstrations(runs: list[Run], most: int) -> list[Run]:
    """At most `most` successes, no two of one session or with the same question, in order of choice."""
    candidates = _one_each([run for run in runs if run.good and run.answer and not run.error and _short(run)])
    if not candidates or most < 1:
        return []
    # It takes longer to load than most turns their steps.
    from sklearn.feature_extraction.text import HashingVectorizer

    vectorizer = HashingVectorizer(n_features=FEATURES, ngram_range=(1, 2), alternate_sign=False, norm="l2")
    points = csr_matrix(vectorizer.transform([run.question for run in candidates]))
    # Rounded, so that runs that are equally typical are told apart by their order and not by the last bit.
    typical = np.round(points @ np.asarray(points.mean(axis=0)).ravel(), 9)
    chosen = [int(np.argmax(typical))]
    nearest = _similarity(points, chosen[0])
    while len(chosen) < min(most, len(candidates)):
        following = int(np.argmin(nearest))
        if nearest[following] >= 1 - 1e-9:
            break
        chosen.append(following)
        nearest = np.maximum(nearest, _similarity(points, following))
    return [candidates[index] for index in chosen]


def _similarity(points: csr_matrix, index: int) -> NDArray[np.float64]:
    """Cosine similarity of every point with one of them, rounded."""
    return np.round((points @ points[[index]].T).toarray().ravel(), 9)


def _short(run: Run) -> bool:
    return len(run.question) + len(run.answer) <= MOST_CHARACTERS


def _one_each(runs: list[Run]) -> list[Run]:
    """The first run of every session and of every question."""
    kept: list[Run] = []
    sessions: set[str] = set()
    questions: set[str] = set()
    for run in runs:
        question = " ".join(run.question.lower().split())
        if run.session not in sessions and question not in questions:
            kept.append(run)
            sessions.add(run.session)
            questions.add(question)
    return kept[:MOST_CONSIDERED]
