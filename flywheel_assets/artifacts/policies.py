"""The rules of contextual policies, as the ledger has had them since they were registered."""

import json
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.routing import Segment
from flywheel_assets.tables.documents.scorer import PREFIX, Scorer

Policies = Mapping[str, Scorer]


def known_policies(ledger: pa.Table) -> dict[str, Scorer]:
    """'scored/<hash>' → its rule, from PROMOTION_DECISIONS."""
    registered = ledger.filter(pc.field("kind") == "registered").select(["candidate_arm", "manifest_json"])
    found: dict[str, Scorer] = {}
    for row in registered.to_pylist():
        rule = json.loads(row["manifest_json"])["candidate"].get("policy") if PREFIX in row["candidate_arm"] else None
        if rule is not None:
            found[Arm.parse(row["candidate_arm"]).model] = Scorer.model_validate(rule)
    return found


def scorers_of(segments: tuple[Segment, ...], policies: Policies) -> dict[str, Scorer]:
    """The rule of every contextual policy among the segments, for arms with that policy's prompt."""
    arms = [Arm.parse(segment.arm) for segment in segments if segment.arm.startswith(PREFIX)]
    return {str(arm): policies[arm.model].with_prompt(arm.prompt_version) for arm in arms if arm.model in policies}
