"""Each export is loaded by the consumer it is written for, where that can be installed."""

import json
import os
from importlib.metadata import EntryPoint

import pytest
import yaml

from flywheel_assets.artifacts.export import export, exporters
from flywheel_assets.artifacts.exporters import inference_policy, litellm
from flywheel_assets.artifacts.routing import routing_document
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile

SMALL, LARGE = "openai/gpt-5.2|-|-", "anthropic/claude-haiku-4-5|-|-"


@pytest.fixture
def document(rollout, register):
    skills = SkillsFile(
        skills={
            "summary": Skill(baseline_model="openai/gpt-5.2", models=("anthropic/claude-haiku-4-5", "acme-lab/tiny")),
            "triage": Skill(baseline_model="openai/gpt-5.2", models=("openai/o3",)),
            "lone": Skill(baseline_model="plain"),
        }
    )
    states = {
        "summary": rollout(baseline_arm=SMALL, production_arm=SMALL, trial=register(LARGE, SMALL)),
        "triage": rollout(baseline_arm=SMALL, production_arm="openai/gpt-5.2|abc|-"),
        "lone": rollout(baseline_arm="plain|-|-", production_arm="plain|-|-"),
    }
    return routing_document(states, skills, None)


def test_every_module_in_the_folder_is_an_exporter():
    assert sorted(exporters()) == ["inference_policy", "litellm"]


def test_another_package_can_bring_an_exporter(document, tmp_path):
    plugin = EntryPoint("mine", "flywheel_assets.artifacts.exporters.inference_policy", "flywheel.exporters")
    assert sorted(exporters([plugin])) == ["inference_policy", "litellm", "mine"]
    assert set(export(document, tmp_path, [plugin])) == {"litellm.yaml", "inference_policy.json"}


def test_litellm_loads_its_configuration_and_picks_by_weight(document, monkeypatch):
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    monkeypatch.setenv("OPENAI_API_KEY", "made-up")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "made-up")
    monkeypatch.setenv("ACME_LAB_API_BASE", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("ACME_LAB_API_KEY", "made-up")
    config = yaml.safe_load(litellm.render(document).text)
    models = [_resolved(model) for model in config["model_list"]]
    from litellm import Router

    router = Router(model_list=models, **config["router_settings"])
    assert {"summary", "triage", "summary/acme-lab/tiny"} <= set(router.get_model_names())
    picks = [
        router.get_available_deployment("summary", messages=[{"role": "user", "content": "?"}]) for _ in range(2000)
    ]
    share = sum(pick["model_info"]["flywheel_arm"] == LARGE for pick in picks) / len(picks)
    assert share == pytest.approx(0.4 * 0.95, abs=0.05)
    assert router.fallbacks == [
        {"summary": ["summary/anthropic/claude-haiku-4-5", "summary/acme-lab/tiny"]},
        {"triage": ["triage/openai/o3"]},
    ]


def _resolved(model):
    """LiteLLM's proxy puts `os.environ/NAME` in; its Router class alone does not."""
    parameters = {
        name: os.environ[value.removeprefix("os.environ/")] if str(value).startswith("os.environ/") else value
        for name, value in model["litellm_params"].items()
    }
    return model | {"litellm_params": parameters}


def test_litellm_is_told_what_it_cannot_carry(document):
    assert litellm.render(document).warnings == (
        "summary: LiteLLM draws at each call and writes no propensity, so its runs are no evidence for exp-1",
        "triage: LiteLLM carries no prompts, so agents must load theirs from the artifacts",
    )


def test_the_inference_policy_lists_what_is_in_production_and_mixes_providers(document):
    rendered = inference_policy.render(document)
    policy = json.loads(rendered.text)
    assert policy == {
        "version": f"1-{document.policy_id}",
        "defaults": {
            "summary": ["openai/gpt-5.2", "anthropic/claude-haiku-4-5", "acme-lab/tiny"],
            "triage": ["openai/gpt-5.2", "openai/o3"],
            "lone": ["plain"],
        },
    }
    assert rendered.warnings == (
        "lone: not a task of the router, which will serve it as 'default'",
        "lone: model ids must be 'provider/name', these are not: plain",
        "lone: every attempt is on one provider, and fails with its quota",
        "triage: not a task of the router, which will serve it as 'default'",
        "triage: every attempt is on one provider, and fails with its quota",
    )
