"""flagd's flag definitions, for OpenFeature in any language: one object flag for each skill.

Units are split by flagd's own hash of flag and targeting key: sticky, with the shares of the document,
but not the units that this client's draw would send there. Every variant says its own propensity, so
an agent that writes the variant's attributes on its span brings evidence that the decisions accept
for what an arm does.
"""

import json

from flywheel_assets.artifacts.export import Export, Material, arm_shares, production_arm
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.routing import SkillRoute

PLACE = "flagd.json"
# Shares in the file are whole numbers that add up to this.
WHOLE = 100_000


def render(material: Material) -> dict[str, Export]:
    """Flags '<skill>' whose value is {model, prompt_version, arm, propensity, policy_id}."""
    document = material.document
    flags: dict[str, object] = {}
    warnings: list[str] = []
    for skill, route in document.skills.items():
        shares = weights(route)
        flags[skill] = {
            "state": "ENABLED",
            "variants": {str(arm): _value(arm, weight, document.policy_id) for arm, weight in shares.items()},
            "defaultVariant": str(production_arm(route)),
            "targeting": {
                "fractional": [
                    {"cat": [{"var": "$flagd.flagKey"}, {"var": "targetingKey"}]},
                    *([str(arm), weight] for arm, weight in shares.items()),
                ]
            },
        }
        if route.experiment_id:
            warnings.append(
                f"{skill}: flagd draws by its own hash, so its runs are no evidence for {route.experiment_id}"
            )
        if any(arm.prompt_version != "-" for arm in shares):
            warnings.append(f"{skill}: a flag carries no prompt, so agents must load theirs from the artifacts")
    content = {"$schema": "https://flagd.dev/schema/v0/flags.json", "flags": flags}
    return {PLACE: Export(json.dumps(content, indent=2, ensure_ascii=False) + "\n", tuple(warnings))}


def weights(route: SkillRoute) -> dict[Arm, int]:
    """Each arm's share in whole parts of WHOLE; what rounding leaves goes to the largest remainders."""
    shares = arm_shares(route)
    parts = {arm: int(share * WHOLE) for arm, share in shares.items()}
    left = WHOLE - sum(parts.values())
    for arm in sorted(shares, key=lambda one: (parts[one] - shares[one] * WHOLE, str(one)))[:left]:
        parts[arm] += 1
    return {arm: part for arm, part in parts.items() if part > 0}


def _value(arm: Arm, weight: int, policy_id: str) -> dict[str, object]:
    return {
        "model": arm.model,
        "prompt_version": arm.prompt_version,
        "arm": str(arm),
        "propensity": weight / WHOLE,
        "policy_id": policy_id,
    }
