"""Plain YAML: model, prompt and shares of every skill in one file, for whoever reads nothing else."""

import yaml

from flywheel_assets.artifacts.export import Export, Material, arm_shares, production_arm

PLACE = "prompts.yaml"


def render(material: Material) -> dict[str, Export]:
    """`{policy_id, version, skills: {<skill>: {model, prompt_version, prompt, fallbacks, shares}}}`."""
    document = material.document
    skills: dict[str, object] = {}
    for skill, route in document.skills.items():
        production = production_arm(route)
        skills[skill] = {
            "model": production.model,
            "prompt_version": production.prompt_version,
            "prompt": material.text(skill),
            "fallbacks": list(route.fallbacks),
            "shares": {str(arm): round(share, 9) for arm, share in arm_shares(route).items()},
        }
    content = {"policy_id": document.policy_id, "version": document.version, "skills": skills}
    return {PLACE: Export(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120))}
