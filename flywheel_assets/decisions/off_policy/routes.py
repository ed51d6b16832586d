"""Every routing candidate with what the log says of it: its value off-policy, or why that cannot be told."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from flywheel_assets.decisions.canonical import stated
from flywheel_assets.decisions.off_policy.evaluate import evaluate
from flywheel_assets.decisions.off_policy.logged import Estimated, Ints, Logged, Refused
from flywheel_assets.decisions.stakes import Reals
from flywheel_assets.tables.documents.scorer import Scorer, left_out
from flywheel_assets.tables.ranked import ranked
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES

ROWS = (Path(__file__).parent / "routes.sql").read_text(encoding="utf-8")
# Contexts that the reward model tells apart: the most frequent ones.
CONTEXTS = 20
# Newest runs of a skill that are looked at: more would cost seconds a turn and tell of another time.
MOST = 20_000
# Agents decide on what was asked, where no mark of ours stands.
TEXT_READ = "replace(coalesce(o.input_text, ''), '[redacted]', ' ')"


@dataclass(frozen=True, slots=True)
class Runs:
    """The decided runs of a skill as columns, made once for all its candidates; `offered` numbers the `sets`.

    A set of None is that of a decision that does not say what it could have chosen: it is trusted.
    """

    rows: pa.Table
    arms: list[str]
    action: Ints
    reward: Reals
    propensity: Reals
    keep: Reals
    features: Reals
    cluster: Ints
    offered: Ints
    sets: list[frozenset[str] | None]

    @classmethod
    def of(cls, rows: pa.Table) -> "Runs":
        """Of rows of `routes.sql`."""
        (arms, action), (sets, offered), (contexts, context), (_, cluster) = (
            ranked(rows.column(name)) for name in ("arm", "candidate_set", "context_json", "cluster")
        )
        reward, propensity, keep = (
            rows.column(name).to_numpy(zero_copy_only=False).astype(np.float64)
            for name in ("outcome", "propensity", "keep_prob")
        )
        return cls(
            rows=rows,
            arms=[str(arm) for arm in arms.to_pylist()],
            action=action,
            reward=reward,
            propensity=propensity,
            keep=keep,
            features=_contexts(contexts.to_pylist(), context),
            cluster=cluster,
            offered=offered,
            sets=[_offered(one) for one in sets.to_pylist()],
        )

    def logged(self, taken: Sequence[str] | str) -> Logged:
        """The log for the policy that takes `taken`: an arm for each run, or one for all."""
        each = [taken] if isinstance(taken, str) else list(taken)
        arms = sorted({*self.arms, *each})
        places = {name: place for place, name in enumerate(arms)}
        chosen = np.broadcast_to(np.array([places[arm] for arm in each], np.int64), self.action.shape)
        rows = np.arange(len(chosen))
        target = np.zeros((len(chosen), len(arms)))
        target[rows, chosen] = 1.0
        could = np.array([[one is None or arm in one for arm in arms] for one in self.sets], np.bool_)
        return Logged(
            action=np.array([places[arm] for arm in self.arms], np.int64)[self.action],
            reward=self.reward,
            propensity=self.propensity,
            target=target,
            keep=self.keep,
            features=self.features,
            cluster=self.cluster,
            supported=could[self.offered, chosen] if len(rows) else np.zeros(0, np.bool_),
        )


def with_counterfactuals(candidates: pa.Table, con: duckdb.DuckDBPyConnection) -> pa.Table:
    """The candidates with their `off_policy_…` columns; `con` has `gated_observations` and `agent_runs`."""
    rows = candidates.to_pylist()
    skills = sorted({row["skill"] for row in rows})
    # Texts are the most of what there is to read, and only contextual policies look at them.
    text = TEXT_READ if any(row["policy_json"] for row in rows) else "''"
    found = con.execute(ROWS.replace("{text}", text), {"skills": skills, "most": MOST}).to_arrow_table()
    counts = {one["values"]: one["counts"] for one in found.column("skill").value_counts().to_pylist()}
    firsts = accumulate((counts.get(skill, 0) for skill in skills), initial=0)
    runs = {
        skill: Runs.of(found.slice(first, counts.get(skill, 0))) for skill, first in zip(skills, firsts, strict=False)
    }
    told = [{**row, **_columns(evaluate(_log(runs[row["skill"]], row)))} for row in rows]
    return ROUTING_CANDIDATES.conform(ROUTING_CANDIDATES.rows(told))


def _log(runs: Runs, row: Mapping[str, Any]) -> Logged:
    """A contextual policy is judged on the sessions that it did not learn from."""
    if not row["policy_json"]:
        return runs.logged(row["arm"])
    rule = Scorer.model_validate_json(row["policy_json"])
    held = runs.rows.filter(pa.array([left_out(one) for one in runs.rows["cluster"].to_pylist()], pa.bool_()))
    asked = held.select(["text", "context_json"]).to_pylist()
    return Runs.of(held).logged([rule.choose(run["text"], _said(run["context_json"])) for run in asked])


def _offered(candidate_set: str | None) -> frozenset[str] | None:
    offered = json.loads(candidate_set) if candidate_set else None
    return frozenset(offered) if isinstance(offered, dict | list) else None


def _said(context_json: str | None) -> dict[str, object]:
    found = json.loads(context_json) if context_json else {}
    return found if isinstance(found, dict) else {}


def _contexts(contexts: Sequence[str | None], context: Ints) -> Reals:
    """One indicator per frequent context; of equally frequent ones, those that came first."""
    known = [code for code, _ in Counter(context.tolist()).most_common() if contexts[code]][:CONTEXTS]
    return (context[:, None] == np.array(known, np.int64)).astype(np.float64)


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
