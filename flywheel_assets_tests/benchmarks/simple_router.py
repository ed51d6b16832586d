"""A simple learner beside ours: ridge per arm on TF-IDF and a truncated SVD, Thompson sampling, a price on cost.

Chapelle and Li, "An empirical evaluation of Thompson sampling", NIPS 2011, with a linear model (Agrawal and Goyal,
"Thompson sampling for contextual bandits with linear payoffs", ICML 2013). It is served the same splits, in blocks of
as many runs, at a price that keeps to the same budget.
"""

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from flywheel_assets.candidates.routing.budget import price_for
from flywheel_assets.replay.contextual import Settings
from flywheel_assets.replay.matrix import Matrix, Reals

AXES = 32
# Variance of an outcome about its mean.
NOISE = 0.2


def table_of(matrix: Matrix, key: str, learned_on: np.ndarray) -> Reals:
    """Items × columns: a constant, the text's axes, and one column per value of a context entry."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit_transform(matrix.texts)
    axes = TruncatedSVD(AXES, random_state=0).fit(words[learned_on]).transform(words)
    said = np.array([str(context.get(key)) for context in matrix.contexts])
    classes = said[:, None] == np.unique(said)
    return np.hstack([np.ones((len(said), 1)), axes / axes[learned_on].std(axis=0).mean(), classes])


def value(matrix: Matrix, key: str, settings: Settings, seed: int) -> tuple[float, float]:
    """Mean outcome on the items held out, and by what part their cost is over the budget, after one replay."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(matrix.items))
    held, stream = np.split(order, [int(settings.held * len(order))])
    table, share = table_of(matrix, key, stream), settings.budget or 0.0
    costs = np.nanmean(matrix.cost[stream], axis=0)
    budget = float(costs.min() + share * np.ptp(costs))
    width, arms = table.shape[1], range(len(costs))
    grams, sides = [np.eye(width) for _ in arms], [np.zeros(width) for _ in arms]
    price, believed = 0.0, np.zeros((len(costs), width))
    for start in range(0, len(stream), settings.every):
        items = stream[start : start + settings.every]
        if start:
            spread = [np.linalg.cholesky(NOISE * np.linalg.inv(gram)) for gram in grams]
            drawn = [
                mean + rng.standard_normal((len(items), width)) @ half.T
                for mean, half in zip(believed, spread, strict=True)
            ]
            arm = (np.stack([(table[items] * one).sum(axis=1) for one in drawn], axis=1) - price * costs).argmax(axis=1)
        else:
            arm = np.where(rng.random(len(items)) < share, int(costs.argmax()), int(costs.argmin()))
        for one in arms:
            rows = items[arm == one]
            grams[one] += table[rows].T @ table[rows]
            sides[one] += table[rows].T @ matrix.outcome[rows, one]
        believed = np.stack([np.linalg.solve(gram, side) for gram, side in zip(grams, sides, strict=True)])
        price = price_for(table[stream[: start + settings.every]] @ believed.T, costs, budget).price
    chosen = (table[held] @ believed.T - price * costs).argmax(axis=1)
    return float(matrix.outcome[held, chosen].mean()), float(matrix.cost[held, chosen].mean() / budget - 1)
