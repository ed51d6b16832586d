"""Recorded comparisons with known answers, replayed as randomised traffic and as pairs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flywheel_assets.decisions.eprocess import differences, randomised

REPLAYS = 40


def verdicts(data: pd.DataFrame, dataset: str, incumbent: str, candidate: str) -> tuple[float, float]:
    """Share of replays in which the candidate is promoted, and in which it is found worse, at the first trial's α.

    Each replay draws every example's arm anew and reveals that arm's recorded answer alone.
    """
    rows = data[data["dataset"] == dataset]
    old, new = rows[f"{incumbent}_correct"].to_numpy(float), rows[f"{candidate}_correct"].to_numpy(float)
    better = worse = 0
    for seed in range(REPLAYS):
        rng = np.random.default_rng(seed)
        order, chosen = rng.permutation(len(rows)), rng.random(len(rows)) < 0.5
        comparison = randomised(chosen, np.where(chosen, new[order], old[order]), 0.5)
        lower, upper = comparison.interval(0.0125)
        better, worse = better + (lower > 0), worse + (upper < 0)
    return better / REPLAYS, worse / REPLAYS


@pytest.fixture(scope="module")
def gepa(shared_data: Path) -> pd.DataFrame:
    return pd.read_csv(shared_data / "gepa_prompt_variants" / "per_example.csv.gz")


@pytest.mark.parametrize(
    ("dataset", "incumbent", "candidate"),
    [
        ("rotten_tomatoes", "default", "confidence"),
        ("ag_news", "default", "default"),
        ("emotion", "baseline", "baseline"),
        # Found in pairs; two points are out of reach of so few unpaired runs, and holding is right.
        ("emotion", "default", "confidence"),
        ("ag_news", "default", "confidence"),
        ("rotten_tomatoes", "baseline", "default"),
    ],
)
def test_what_so_few_runs_cannot_tell_is_held(gepa: pd.DataFrame, dataset: str, incumbent: str, candidate: str):
    better, worse = verdicts(gepa, dataset, incumbent, candidate)
    assert better <= 0.05
    assert worse <= 0.05


@pytest.mark.parametrize(("dataset", "incumbent", "candidate"), [("emotion", "baseline", "default")])
def test_a_prompt_that_is_worse_is_never_promoted(gepa: pd.DataFrame, dataset: str, incumbent: str, candidate: str):
    better, _ = verdicts(gepa, dataset, candidate, incumbent)
    assert better == 0


@pytest.mark.parametrize(
    ("dataset", "incumbent", "candidate", "promoted"),
    [
        ("ag_news", "baseline", "default", True),
        ("ag_news", "baseline", "confidence", True),
        ("emotion", "baseline", "confidence", True),
        ("emotion", "default", "confidence", False),
        ("rotten_tomatoes", "baseline", "default", False),
        ("rotten_tomatoes", "default", "confidence", False),
        ("rotten_tomatoes", "default", "default", False),
    ],
)
def test_in_pairs_the_same_process_promotes_where_the_truth_is_clear(
    gepa: pd.DataFrame, dataset: str, incumbent: str, candidate: str, promoted: bool
):
    rows = gepa[gepa["dataset"] == dataset]
    x = rows[f"{candidate}_correct"].to_numpy(float) - rows[f"{incumbent}_correct"].to_numpy(float)
    orders = [np.random.default_rng(seed).permutation(x) for seed in range(20)]
    assert {differences(order).interval(0.05)[0] > 0 for order in orders} == {promoted}
