"""Labels that were turned round in made-up runs: how many of them confident learning finds."""

import numpy as np
from cleanlab.filter import find_label_issues

from flywheel_assets.examples.noise import foretold, suspects
from flywheel_assets_tests.benchmarks.label_traces import Score

RUNS, DRAWS = 1000, 10


def noise_lines() -> list[str]:
    """A table by share of labels turned round: what is found, beside the same by the authors' code."""
    lines = [
        "| turned round | suspects | of the turned, found | of the found, turned | weight they keep | as by cleanlab |"
    ]
    lines.append("|---|" + "---|" * 5)
    for share in (0.0, 0.05, 0.1, 0.2):
        told = np.mean([_found(share, seed) for seed in range(DRAWS)], axis=0)
        cells = [f"{told[0]:.1f}", *(f"{100 * one:.1f} %" for one in told[1:])]
        if not share:
            cells[1] = "–"
        lines.append(f"| {100 * share:.0f} % | {' | '.join(cells)} |")
    return lines


def _found(share: float, seed: int) -> tuple[float, ...]:
    rng = np.random.default_rng(seed)
    good, turned = rng.random(RUNS) < 0.7, rng.random(RUNS) < share
    signs = np.column_stack([rng.normal(2.0 * good, 1), rng.normal(-1.0 * good, 1), rng.normal(size=RUNS)])
    said = good ^ turned
    chance = foretold(signs, said)
    ours = suspects(said, chance)
    both = np.column_stack([1 - chance, chance])
    theirs = find_label_issues(said.astype(int), both, filter_by="confident_learning", n_jobs=1)
    score = Score.of(np.flatnonzero(ours.suspect).tolist(), np.flatnonzero(turned).tolist())
    kept = float(ours.kept[ours.suspect].mean()) if ours.suspect.any() else 1.0
    return ours.suspect.sum(), score.recall, score.precision, kept, float((ours.suspect == theirs).mean())
