"""The inference router's `InferencePolicy`: `version`, and for each task the models to try in order.

That router has no shares: it is given what is in production, and nothing of a trial.
"""

import json

from flywheel_assets.artifacts.export import Export, Material, production_arm

PLACE = "inference_policy.json"

TASKS = (
    *("simple", "classification", "summary", "digest", "complex"),
    *("vision", "reasoning", "rewrite", "json", "default"),
)
# The router tries no more than this, whatever the list says.
ATTEMPTS = 3


def render(material: Material) -> dict[str, Export]:
    """A partial policy: `version` becomes the policyVersion of every later event, so it is the policy id."""
    document = material.document
    defaults: dict[str, list[str]] = {}
    warnings: list[str] = []
    for skill, route in document.skills.items():
        models = [production_arm(route).model, *route.fallbacks][:ATTEMPTS]
        defaults[skill] = models
        if skill not in TASKS:
            warnings.append(f"{skill}: not a task of the router, which will serve it as 'default'")
        unknown = [model for model in models if "/" not in model]
        if unknown:
            warnings.append(f"{skill}: model ids must be 'provider/name', these are not: {', '.join(unknown)}")
        if len({model.partition("/")[0] for model in models}) == 1:
            warnings.append(f"{skill}: every attempt is on one provider, and fails with its quota")
    policy = {"version": f"{document.version}-{document.policy_id}", "defaults": defaults}
    return {PLACE: Export(json.dumps(policy, indent=2, ensure_ascii=False) + "\n", tuple(warnings))}
