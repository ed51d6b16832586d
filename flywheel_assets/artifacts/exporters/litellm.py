"""LiteLLM's router configuration: one weighted group of models for each skill, with fallbacks.

LiteLLM draws anew at each call and writes no propensity: runs routed by it are evidence of what an
arm does, and not of a trial. `model_info.id` names the arm, so that its logs can.
"""

import re

import yaml

from flywheel_assets.artifacts.export import Export, Material, arm_shares, production_arm

PLACE = "litellm.yaml"

# Prefixes that LiteLLM itself understands; any other provider is taken for an OpenAI-compatible server.
PROVIDERS = (
    *("anthropic", "azure", "bedrock", "cohere", "deepseek", "fireworks_ai", "gemini", "groq", "mistral", "ollama"),
    *("openai", "openrouter", "perplexity", "sagemaker", "together_ai", "vertex_ai", "vllm", "watsonx", "xai"),
)


def render(material: Material) -> dict[str, Export]:
    """Model groups '<skill>' by weight, and '<skill>/<model>' for each model it may fall back on."""
    document = material.document
    models: list[dict[str, object]] = []
    fallbacks: list[dict[str, list[str]]] = []
    warnings: list[str] = []
    for skill, route in document.skills.items():
        for arm, share in arm_shares(route).items():
            info = {"id": f"{skill}|{arm}", "flywheel_policy_id": document.policy_id, "flywheel_arm": str(arm)}
            parameters = _parameters(arm.model) | {"weight": round(share, 9)}
            models.append({"model_name": skill, "litellm_params": parameters, "model_info": info})
        alone = (production_arm(route).model, *route.fallbacks)
        models.extend({"model_name": f"{skill}/{model}", "litellm_params": _parameters(model)} for model in alone)
        groups = [f"{skill}/{model}" for model in route.fallbacks]
        if groups:
            fallbacks.append({skill: groups})
        if route.experiment_id:
            gap = "LiteLLM draws at each call and writes no propensity, so its runs are no evidence for"
            warnings.append(f"{skill}: {gap} {route.experiment_id}")
        if any(arm.prompt_version != "-" for arm in arm_shares(route)):
            warnings.append(f"{skill}: LiteLLM carries no prompts, so agents must load theirs from the artifacts")
    settings = {"routing_strategy": "simple-shuffle", "fallbacks": fallbacks}
    content = {"model_list": models, "router_settings": settings}
    head = f"# Routing document {document.policy_id}, version {document.version}. Written by machine.\n"
    return {
        PLACE: Export(head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120), tuple(warnings))
    }


def _parameters(model: str) -> dict[str, object]:
    """How LiteLLM reaches a model; a provider it does not know is reached through its own base address."""
    provider, slash, name = model.partition("/")
    if not slash:
        return {"model": f"openai/{model}"}
    if provider in PROVIDERS:
        return {"model": model}
    variable = re.sub(r"\W", "_", provider).upper()
    return {
        "model": f"openai/{name}",
        "api_base": f"os.environ/{variable}_API_BASE",
        "api_key": f"os.environ/{variable}_API_KEY",
    }
