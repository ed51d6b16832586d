"""Which arms are not explored: those that the log says are hardly ever the best one."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from flywheel_assets.tables.documents.scorer import PREFIX, Scorer

# An arm that is this seldom the best of its skill in draws costs more than it teaches.
DOMINATED = 0.01
Row = Mapping[str, Any]


def dominated(candidates: pa.Table) -> dict[str, frozenset[str]]:
    """Skill → arms of ROUTING_CANDIDATES that get no exploration.

    One that is worse on the whole stays where a contextual policy that is proposed or in production may choose it,
    and one whose evidence has aged comes back, for what is believed of it has widened.
    """
    by_skill: dict[str, list[Row]] = {}
    for row in candidates.to_pylist():
        by_skill.setdefault(row["skill"], []).append(row)
    return {skill: found for skill, rows in by_skill.items() if (found := _dominated(rows))}


def _dominated(rows: Sequence[Row]) -> frozenset[str]:
    if any(row["state"] == "incumbent" and row["arm"].startswith(PREFIX) for row in rows):
        return frozenset()
    rules = [row["policy_json"] for row in rows if row["state"] == "proposed" and row["policy_json"]]
    wanted = {arm.arm for rule in rules for arm in Scorer.model_validate_json(rule).arms}
    return frozenset(
        row["arm"]
        for row in rows
        if row["state"] == "not_proposed"
        and row["probability_best"] is not None
        and row["probability_best"] < DOMINATED
        and row["arm"] not in wanted
    )
