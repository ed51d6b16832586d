"""Labels that do not fit their runs are found as by the method's authors, lose weight, and are listed."""

import numpy as np
import pytest
from cleanlab.filter import find_label_issues

from flywheel_assets.examples.noise import foretold, suspects


def noisy(seed: int, flipped: float = 0.1, size: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signs, labels, and which labels were turned round."""
    rng = np.random.default_rng(seed)
    good = rng.random(size) < 0.65
    signs = np.column_stack([rng.normal(2.5 * good, 1), rng.normal(0, 1, size), rng.normal(-1.0 * good, 1)])
    turned = rng.random(size) < flipped
    return signs, good ^ turned, turned


@pytest.mark.parametrize("seed", range(6))
def test_the_same_labels_are_suspect_as_by_the_authors_code(seed: int) -> None:
    signs, good, _ = noisy(seed)
    chance = foretold(signs, good)
    theirs = find_label_issues(
        good.astype(int), np.column_stack([1 - chance, chance]), filter_by="confident_learning", n_jobs=1
    )
    assert suspects(good, chance).suspect.tolist() == theirs.tolist()


def test_labels_that_were_turned_round_are_found_and_lose_weight() -> None:
    signs, good, turned = noisy(9)
    found = suspects(good, foretold(signs, good))
    assert found.suspect[turned].mean() > 0.6
    assert turned[found.suspect].mean() > 0.6
    assert found.kept[found.suspect].mean() < 0.5
    assert set(found.kept[~found.suspect]) == {1.0}


def test_nothing_is_suspect_where_nothing_foretells() -> None:
    rng = np.random.default_rng(2)
    good = rng.random(500) < 0.8
    found = suspects(good, foretold(rng.normal(size=(500, 3)), good))
    assert not found.suspect.any()


def test_what_is_not_known_of_a_run_is_taken_as_average() -> None:
    signs, good, _ = noisy(3, 0)
    signs[::7, 0], signs[:, 1] = np.nan, np.nan
    chance = foretold(signs, good)
    assert np.isfinite(chance).all()
    assert ((chance > 0.5) == good).mean() > 0.85


def test_a_persons_word_that_does_not_fit_its_run_weighs_less_and_a_check_is_what_it_is(span, labels) -> None:
    def runs(tier: str) -> dict:
        spans = []
        for number in range(150):
            good = number % 3 != 0
            said = {
                "gen_ai.evaluation.name": "worked",
                "flywheel.label.source_tier": tier,
                "flywheel.evaluator.id": "ann",
                "gen_ai.evaluation.score.value": float(good if number != 75 else not good),
            }
            facts = {} if good else {"status": "error", "error_type": "Timeout"}
            agent = {"operation": "agent", "dialect": "gen_ai", "service_name": "s", "agent_name": "a"}
            spans.append(span("a", trace_id=f"t{number:03}", at=number, events=[said], **agent, **facts))
        return labels(spans).examples

    told = runs("human")
    assert [name for name, row in told.items() if row["weight"] < 2 * row["confidence"] - 1 - 1e-9] == ["t075:a"]
    assert told["t075:a"]["outcome"] == 1
    assert [row["weight"] for row in runs("check").values()] == pytest.approx([0.96] * 150)
