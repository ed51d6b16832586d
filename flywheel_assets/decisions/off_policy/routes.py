"""Every routing candidate with what the log says of it: its value off-policy, or why that cannot be told."""

import json
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from flywheel_assets.decisions.canonical import stated
from flywheel_assets.decisions.eprocess import Reals
from flywheel_assets.decisions.off_policy.evaluate import evaluate
from flywheel_assets.decisions.off_policy.logged import Estimated, Logged, Refused
from flywheel_assets.tables.documents.scorer import Scorer, left_out
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES

ROWS = (Path(__file__).parent / "routes.sql").read_text(encoding="utf-8")
# Contexts that the reward model tells apart: the most frequent ones.
CONTEXTS = 20
# Newest runs of a skill that are looked at: more would cost seconds a turn and tell of another time.
MOST = 20_000


def with_counterfactuals(candidates: pa.Table, con: duckdb.DuckDBPyConnection) -> pa.Table:
    """The candidates with their `off_policy_…` columns; `con` has `gated_observations` and `agent_runs`."""
    rows = candidates.to_pylist()
    runs: dict[str, list[dict[str, Any]]] = {row["skill"]: [] for row in rows}
    for run in con.execute(ROWS, {"skills": list(runs), "most": MOST}).to_arrow_table().to_pylist():
        runs[run["skill"]].append(run)
    found = [{**row, **_columns(evaluate(_log(runs[row["skill"]], row)))} for row in rows]
    return ROUTING_CANDIDATES.conform(ROUTING_CANDIDATES.rows(found))


def _log(runs: list[dict[str, Any]], row: Mapping[str, Any]) -> Logged:
    """A contextual policy is judged on the sessions that it did not learn from."""
    if not row["policy_json"]:
        return logged(runs, [row["arm"]] * len(runs))
    rule = Scorer.model_validate_json(row["policy_json"])
    held = [run for run in runs if left_out(run["cluster"])]
    return logged(held, [rule.choose(run["text"], _said(run["context_json"])) for run in held])


def logged(runs: list[dict[str, Any]], taken: list[str]) -> Logged:
    """The log for the policy that takes `taken`, an arm for each run, in the order of the runs."""
    arms = sorted({run["arm"] for run in runs} | set(taken))
    places = {name: place for place, name in enumerate(arms)}
    target = np.zeros((len(runs), len(arms)))
    target[np.arange(len(runs)), [places[arm] for arm in taken]] = 1.0
    return Logged(
        action=np.array([places[run["arm"]] for run in runs], dtype=np.int64),
        reward=np.array([run["outcome"] for run in runs], dtype=np.float64),
        propensity=np.array([run["propensity"] for run in runs], dtype=np.float64),
        target=target,
        keep=np.array([run["keep_prob"] for run in runs], dtype=np.float64),
        features=_contexts([run["context_json"] for run in runs]),
        cluster=np.unique(np.array([run["cluster"] for run in runs], dtype=str), return_inverse=True)[1],
        supported=np.array([_could_take(run, arm) for run, arm in zip(runs, taken, strict=True)], dtype=np.bool_),
    )


def _could_take(run: dict[str, Any], arm: str) -> bool:
    """Whether the decision could have chosen the arm; one that does not say what it could have is trusted."""
    offered = _offered(run["candidate_set"])
    return offered is None or arm in offered


@lru_cache(maxsize=1000)
def _offered(candidate_set: str | None) -> frozenset[str] | None:
    offered = json.loads(candidate_set) if candidate_set else None
    return frozenset(offered) if isinstance(offered, dict | list) else None


def _said(context_json: str | None) -> dict[str, object]:
    found = json.loads(context_json) if context_json else {}
    return found if isinstance(found, dict) else {}


def _contexts(contexts: list[str | None]) -> Reals:
    """One indicator per frequent context."""
    known = [one for one, _ in Counter(one for one in contexts if one).most_common(CONTEXTS)]
    found = np.zeros((len(contexts), len(known)))
    for place, one in enumerate(known):
        found[:, place] = [context == one for context in contexts]
    return found


def _columns(found: Estimated | Refused) -> dict[str, object]:
    overlap = found.overlap
    columns: dict[str, object] = {
        "off_policy_ess": stated(overlap.effective_n) if overlap else None,
        "off_policy_max_weight": stated(overlap.max_weight) if overlap else None,
    }
    if isinstance(found, Refused):
        return {**columns, "off_policy": found.reason}
    value = found.doubly_robust
    low, high = found.sequence or (value.value - 1.96 * value.error, value.value + 1.96 * value.error)
    words = (
        f"{value.value:.3f} [{low:.3f}, {high:.3f}] off-policy, effective sample size {found.overlap.effective_n:.0f}"
    )
    return {
        **columns,
        "off_policy_value": stated(value.value),
        "off_policy_lower": stated(low),
        "off_policy_upper": stated(high),
        "off_policy": words,
    }
