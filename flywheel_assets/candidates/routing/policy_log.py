"""The log that contextual policies learn from: one row per admitted run with a propensity."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from flywheel_assets.candidates.routing.contextual import Feedback, Ints
from flywheel_assets.candidates.routing.features import Asked, Reals
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.cascade import Cascade
from flywheel_assets.tables.documents.scorer import left_out
from flywheel_assets.tables.documents.skills_file import Skill

ROWS = (Path(__file__).parent / "policy_rows.sql").read_text(encoding="utf-8")
# Newest runs of a skill that are learned from: more would cost seconds a turn.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """Runs in order, as parallel columns. `cost` and `seconds` are means by arm; `taught`: not left out.

    Where no cost was reported for any arm, `priced` is false and costs are zero; an arm without one
    counts like the dearest.
    """

    arms: tuple[str, ...]
    asked: Asked
    arm: Ints
    outcome: Reals
    propensity: Reals
    taught: NDArray[np.bool_]
    cost: Reals
    seconds: Reals
    priced: bool

    def feedback(self, rows: NDArray[np.bool_]) -> Feedback:
        """Some of the runs, to learn from or to judge by."""
        places = np.flatnonzero(rows)
        return Feedback(self.asked.take(places), self.arm[rows], self.outcome[rows], self.propensity[rows])

    def only(self, arms: Sequence[str]) -> "PolicyLog":
        """The runs of some of the arms."""
        kept = [self.arms.index(arm) for arm in arms]
        rows = np.isin(self.arm, kept)
        place = np.full(len(self.arms), -1, dtype=np.int64)
        place[kept] = np.arange(len(kept))
        return replace(
            self,
            arms=tuple(arms),
            asked=self.asked.take(np.flatnonzero(rows)),
            arm=place[self.arm[rows]],
            outcome=self.outcome[rows],
            propensity=self.propensity[rows],
            taught=self.taught[rows],
            cost=self.cost[kept],
            seconds=self.seconds[kept],
        )


def single_arms(skill: Skill, incumbent: str) -> tuple[str, ...]:
    """The skill's models with the prompt in production."""
    production = Arm.parse(incumbent)
    models = dict.fromkeys((skill.baseline_model, *skill.models))
    return tuple(str(production.model_copy(update={"model": model})) for model in models)


def arms_of(skill: Skill, incumbent: str) -> tuple[str, ...]:
    """What a policy may choose among: the single arms, and a cascade where that is in production."""
    cascade = (incumbent,) if Cascade.parse(Arm.parse(incumbent).model) else ()
    return (*single_arms(skill, incumbent), *cascade)


def read(con: duckdb.DuckDBPyConnection, name: str, skill: Skill, incumbent: str) -> PolicyLog:
    """A skill's log; `con` has `gated_observations` and `agent_runs`."""
    arms = arms_of(skill, incumbent)
    found = con.execute(ROWS, {"skill": name, "arms": list(arms), "most": MOST}).to_arrow_table()
    columns = {column: found.column(column).to_pylist() for column in ("cluster", "arm", "text", "context_json")}
    reals = {
        column: np.array(found.column(column).to_pylist(), dtype=np.float64)
        for column in ("outcome", "propensity", "cost_usd", "seconds")
    }
    arm = np.array([arms.index(one) for one in columns["arm"]], dtype=np.int64)
    cost, seconds = (_by_arm(reals[column], arm, len(arms)) for column in ("cost_usd", "seconds"))
    return PolicyLog(
        arms,
        Asked.of(columns["text"], [_context(text) for text in columns["context_json"]]),
        arm,
        reals["outcome"],
        reals["propensity"],
        np.array([not left_out(cluster) for cluster in columns["cluster"]], dtype=np.bool_),
        cost,
        seconds,
        priced=bool((~np.isnan(reals["cost_usd"])).any()),
    )


def _by_arm(values: Reals, arm: Ints, arms: int) -> Reals:
    """Means by arm; one that is not known counts like the highest."""
    known = ~np.isnan(values)
    sums = np.bincount(arm[known], values[known], arms)
    counts = np.bincount(arm[known], minlength=arms)
    means = np.divide(sums, counts, out=np.zeros(arms), where=counts > 0)
    return np.where(counts > 0, means, means.max(initial=0.0))


def _context(text: str | None) -> dict[str, object]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
