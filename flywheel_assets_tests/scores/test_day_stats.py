"""Day statistics equal what pandas computes from the rows, whatever the rows' order."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

varied = st.fixed_dictionaries(
    {
        "skill": st.sampled_from(["triage", "refund", None]),
        "arm": st.sampled_from(["small|v1|-", "large|-|-", None]),
        "segment": st.sampled_from([None, "canary", "production"]),
        "session_id": st.sampled_from([None, "s1", "s2"]),
        "outcome_state": st.sampled_from(["labeled", "labeled", "missing", "immature", "open"]),
        "outcome": st.sampled_from([0.0, 0.25, 1.0]),
        "weight": st.sampled_from([0.1, 0.7, 1.0]),
        "cost_usd": st.sampled_from([None, 0.0, 0.003]),
        "duration_ns": st.sampled_from([None, 0, 999_999, 1_000_000, 1_500_000_000, 10**18]),
        "status": st.sampled_from(["ok", "error"]),
    }
)


NAMES = [
    *("skill", "arm", "segment", "runs", "admitted", "missing", "immature", "refused", "clusters"),
    *("sum_w", "sum_ww", "sum_wy", "sum_wyy", "sum_cluster_ww", "sum_cluster_wyw", "sum_cluster_wywy"),
    *("costed", "sum_cost", "errors", "timed"),
]


def in_pandas(rows: list[dict], refused: list[str]) -> pd.DataFrame:
    """The same statistics, straight from the definition."""
    frame = pd.DataFrame(rows).dropna(subset=["skill", "arm"]).astype({"cost_usd": float, "outcome": float})
    frame["segment"] = frame["segment"].fillna("none")
    frame["session"] = frame["session_id"].fillna(frame["example_id"])
    labeled = frame["outcome_state"] == "labeled"
    admitted = labeled & ~frame["example_id"].isin(refused)
    # What gates refused says nothing of costs and durations.
    told = admitted | ~labeled
    w, y = frame["weight"].where(admitted, 0), frame["outcome"].where(admitted, 0)
    frame = frame.assign(
        runs=1,
        admitted=admitted,
        missing=frame["outcome_state"] == "missing",
        immature=frame["outcome_state"].isin(["immature", "open"]),
        refused=labeled & ~admitted,
        sum_w=w,
        sum_ww=w**2,
        sum_wy=w * y,
        sum_wyy=w * y**2,
        costed=frame["cost_usd"].notna() & told,
        sum_cost=frame["cost_usd"].where(told).fillna(0),
        errors=frame["status"] == "error",
        timed=frame["duration_ns"].notna() & told,
    )
    key = ["skill", "arm", "segment"]
    sums = frame.groupby([*key, "session"])[["admitted", "sum_w", "sum_wy"]].sum().reset_index()
    sums = sums.assign(
        clusters=sums["admitted"] > 0,
        sum_cluster_ww=sums["sum_w"] ** 2,
        sum_cluster_wyw=sums["sum_w"] * sums["sum_wy"],
        sum_cluster_wywy=sums["sum_wy"] ** 2,
    )
    clusters = ["clusters", "sum_cluster_ww", "sum_cluster_wyw", "sum_cluster_wywy"]
    plain = [name for name in NAMES if name not in (*key, *clusters)]
    return frame.groupby(key)[plain].sum().join(sums.groupby(key)[clusters].sum()).reset_index()[NAMES]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=st.lists(varied, min_size=1, max_size=25), data=st.data())
def test_statistics_equal_a_direct_computation_in_any_order(
    given_rows: list[dict], data: st.DataObject, run: Callable, stats_of: Callable
) -> None:
    rows = [run(f"r{number:02}", **row) for number, row in enumerate(given_rows)]
    for row in rows:
        row["outcome"] = row["outcome"] if row["outcome_state"] == "labeled" else None
    refused = ["r00", "r03"]
    table = stats_of(rows, refused)
    expected = in_pandas(rows, refused)
    assert table.num_rows == len(expected)
    for name in NAMES:
        if name.startswith("sum_"):
            np.testing.assert_allclose(table[name].to_numpy(), expected[name], rtol=1e-12, atol=1e-15)
        else:
            assert table[name].to_pylist() == expected[name].tolist(), name
    shuffled = data.draw(st.permutations(rows))
    assert stats_of([*shuffled, shuffled[0]], refused).equals(table)


@pytest.mark.parametrize(
    ("milliseconds", "bucket"),
    [(0, 0), (0.5, 0), (1, 0), (1.18, 0), (1.2, 1), (2, 4), (1000, 39), (1024, 40), (2**29.8, 119), (1e12, 119)],
)
def test_a_duration_falls_into_its_bucket(run: Callable, stats_of: Callable, milliseconds: float, bucket: int) -> None:
    (row,) = stats_of([run("r", duration_ns=int(milliseconds * 1e6))]).to_pylist()
    assert [number for number, count in enumerate(row["latency_buckets"]) if count] == [bucket]
    assert len(row["latency_buckets"]) == 120


def test_runs_without_a_decision_stand_in_the_segment_none_and_the_arm_says_model_and_prompt(
    run: Callable, stats_of: Callable
) -> None:
    (row,) = stats_of([run("r", arm="provider/large|-|-")]).to_pylist()
    assert (row["segment"], row["model"], row["prompt_version"]) == ("none", "provider/large", None)


def test_span_grain_counts_nothing(run: Callable, stats_of: Callable) -> None:
    assert stats_of([run("r") | {"grain": "span", "example_id": "t:s", "span_id": "s"}]).num_rows == 0
