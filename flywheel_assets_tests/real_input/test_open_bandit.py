"""A public bandit log with known propensities, and the log of the policy that is asked about."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flywheel_assets.decisions.off_policy.evaluate import evaluate
from flywheel_assets.decisions.off_policy.logged import Estimated, Logged, Refused


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> pd.DataFrame:
    return pd.read_csv(shared_data / "obd_small" / "bts_men.csv.gz")


def uniform(rows: pd.DataFrame, propensity: np.ndarray) -> Logged:
    """The uniform policy over all items, from what Thompson sampling logged."""
    items = rows["item_id"].to_numpy()
    count = int(items.max()) + 1
    features = pd.get_dummies(rows[[f"user_feature_{number}" for number in range(3)]]).to_numpy(float)
    return Logged(
        action=items,
        reward=rows["click"].to_numpy(float),
        propensity=propensity,
        target=np.full((len(rows), count), 1 / count),
        keep=np.ones(len(rows)),
        features=features,
        cluster=np.arange(len(rows)),
        supported=np.ones(len(rows), dtype=bool),
    )


def test_the_uniform_policys_value_is_found_with_its_effective_sample_size(
    rows: pd.DataFrame, shared_data: Path
) -> None:
    found = evaluate(uniform(rows, rows["propensity_score"].to_numpy()))
    truth = pd.read_csv(shared_data / "obd_small" / "random_men.csv.gz")["click"].mean()
    assert isinstance(found, Estimated)
    assert (round(found.ips.value, 4), round(found.snips.value, 4)) == (0.0030, 0.0032)
    assert round(found.overlap.effective_n) == 656
    assert found.sequence is not None
    assert found.sequence[0] <= truth <= found.sequence[1]
    assert abs(found.doubly_robust.value - truth) <= 2.6 * found.doubly_robust.error


def test_a_log_with_a_weight_of_twenty_thousand_is_refused(rows: pd.DataFrame) -> None:
    propensity = rows["propensity_score"].to_numpy().copy()
    propensity[17] = 1 / 34 / 21_739
    found = evaluate(uniform(rows, propensity))
    assert isinstance(found, Refused)
    assert found.overlap is not None
    assert found.overlap.effective_n < 5
    assert "largest weight 21,739" in found.reason
