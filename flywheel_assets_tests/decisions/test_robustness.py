"""How many principals a promotion can lose: what the views say is what the trial says when they are left out."""

from math import log

import duckdb
import numpy as np
import pytest

from flywheel_assets.decisions.eprocess import randomised
from flywheel_assets.lake.session import connection
from flywheel_assets.snapshots.build import VIEWS
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS

ENTRY = {
    "seq": 1, "entry_id": "e", "skill": "triage", "experiment_id": "x", "kind": "promoted", "candidate_arm": "new",
    "incumbent_arm": "old", "alpha": 0.01,
}  # fmt: skip
Row = dict[str, object]


def viewed(weights: dict[str, list[float]], **entry: object) -> duckdb.DuckDBPyConnection:
    """The views over one entry whose principals' runs have these weights."""
    con = connection()
    con.register("promotion_decisions", PROMOTION_DECISIONS.rows([ENTRY | entry]))
    runs: list[Row] = []
    for principal, parts in weights.items():
        for part in parts:
            runs.append({"run_id": f"r{len(runs)}", "principal_id": principal or None, "weight": part})
    argued = [{"entry_id": "e", **{name: run[name] for name in ("run_id", "weight")}} for run in runs]
    con.register("decision_arguments", DECISION_ARGUMENTS.rows(argued))
    con.register(
        "agent_runs", AGENT_RUNS.rows([{"run_id": run["run_id"], "principal_id": run["principal_id"]} for run in runs])
    )
    for view in ("decision_principals", "decision_robustness"):
        con.execute((VIEWS / f"{view}.sql").read_text())
    return con


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"ann": [5.0], "bob": [1.0], "cy": [1.0]}, (3, 0, 2)),
        ({"ann": [3.0, 3.0], "bob": [6.0], "cy": [6.0]}, (3, 2, 2)),
        ({"ann": [4.7], "bob": [3.0], "cy": [2.0], "dan": [-1.0]}, (4, 0, 3)),
        ({who: [1.0] for who in "abcdefgh"}, (8, 3, 3)),
        ({"": [5.0]}, (1, 0, 0)),
    ],
    ids=["one carries it", "any one is enough", "one argues against", "all alike", "nobody is named"],
)  # fmt: skip
def test_a_promotion_is_bounded_by_whom_it_can_lose(weights, expected):
    found = viewed(weights).sql("SELECT principals, any_removed, most_removed FROM decision_robustness").fetchall()
    assert found == [expected]


def test_what_is_no_promotion_has_no_bound():
    assert viewed({"ann": [9.0]}, kind="held").sql("FROM decision_robustness").fetchall() == []


def test_the_bound_is_what_the_trial_says_without_them():
    """Bets as they were made and bets made again without the strongest agree on whether the promotion stands."""
    rng, share = np.random.default_rng(3), 0.5
    whose = rng.integers(0, 25, 4000)
    candidate = rng.random(4000) < 0.5
    outcome = (rng.random(4000) < np.where(candidate, 0.62, 0.5)).astype(float)
    growth = randomised(candidate, outcome, share).rise.growth(0.0)
    con = viewed({f"user-{one}": growth[whose == one].tolist() for one in range(25)})
    ((any_removed,),) = con.sql("SELECT any_removed FROM decision_robustness").fetchall()
    order = [int(name.split("-")[1]) for (name,) in con.sql("SELECT principal FROM decision_principals").fetchall()]

    def stands(removed: int) -> bool:
        kept = ~np.isin(whose, order[:removed])
        return randomised(candidate[kept], outcome[kept], share).log_e(0.0) >= -log(0.01)

    assert 0 < any_removed < 24
    assert stands(max(any_removed - 1, 0))
    assert not stands(any_removed + 3)
