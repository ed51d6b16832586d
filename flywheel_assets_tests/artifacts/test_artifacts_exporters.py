"""Each export is loaded by the consumer it is written for, where that can be installed."""

import json
import os
from collections import Counter
from importlib.metadata import EntryPoint

import pytest
import yaml
from scipy import stats

from flywheel_assets.artifacts.export import Material, arm_shares, export, exporters
from flywheel_assets.artifacts.exporters import flagd, inference_policy, litellm
from flywheel_assets.artifacts.routing import routing_document
from flywheel_assets.tables.documents.routing import RoutingDocument, Segment, SkillRoute
from flywheel_assets.tables.documents.scorer import ArmScore, Scorer
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile

EXPORTERS = ["agent_files", "flagd", "inference_policy", "litellm", "prompts_markdown", "prompts_yaml"]
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
        "summary": rollout(baseline_arm=SMALL, production_arm=SMALL, trials=(register(LARGE, SMALL),)),
        "triage": rollout(baseline_arm=SMALL, production_arm="openai/gpt-5.2|abc|-"),
        "lone": rollout(baseline_arm="plain|-|-", production_arm="plain|-|-"),
    }
    return routing_document(states, skills, None)


def test_every_module_in_the_folder_is_an_exporter():
    assert sorted(exporters()) == EXPORTERS


def test_another_package_can_bring_an_exporter(document, tmp_path):
    plugin = EntryPoint("mine", "flywheel_assets.artifacts.exporters.inference_policy", "flywheel.exporters")
    assert sorted(exporters([plugin])) == sorted([*EXPORTERS, "mine"])
    written = set(export(Material(document), tmp_path, [plugin]))
    assert written == {"flagd.json", "litellm.yaml", "inference_policy.json", "prompts.yaml"}


def test_litellm_loads_its_configuration_and_picks_by_weight(document, monkeypatch):
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    monkeypatch.setenv("OPENAI_API_KEY", "made-up")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "made-up")
    monkeypatch.setenv("ACME_LAB_API_BASE", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("ACME_LAB_API_KEY", "made-up")
    config = yaml.safe_load(litellm.render(Material(document))[litellm.PLACE].text)
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
    assert litellm.render(Material(document))[litellm.PLACE].warnings == (
        "summary: LiteLLM draws at each call and writes no propensity, so its runs are no evidence for exp-1",
        "triage: LiteLLM carries no prompts, so agents must load theirs from the artifacts",
    )


def test_the_inference_policy_lists_what_is_in_production_and_mixes_providers(document):
    rendered = inference_policy.render(Material(document))[inference_policy.PLACE]
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


def test_openfeature_evaluates_the_flags_sticky_and_by_weight(document, tmp_path):
    from openfeature import api
    from openfeature.contrib.provider.flagd import FlagdProvider
    from openfeature.contrib.provider.flagd.config import ResolverType
    from openfeature.evaluation_context import EvaluationContext

    export(Material(document), tmp_path)
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(tmp_path / "flagd.json"))
    api.set_provider_and_wait(provider)
    try:
        client = api.get_client()

        def arm(unit: int) -> dict[str, object]:
            found = client.get_object_details("summary", {}, EvaluationContext(targeting_key=f"ticket-{unit}"))
            assert found.error_code is None
            return dict(found.value)

        values = [arm(unit) for unit in range(4000)]
        assert values[:50] == [arm(unit) for unit in range(50)]
    finally:
        api.shutdown()
    shares = arm_shares(document.skills["summary"])
    counted = Counter(value["arm"] for value in values)
    assert set(counted) == {str(one) for one in shares}
    expected = [share * len(values) for share in shares.values()]
    assert stats.chisquare([counted[str(one)] for one in shares], expected).pvalue > 1e-4
    assert {value["arm"]: value["propensity"] for value in values} == pytest.approx(
        {str(one): share for one, share in shares.items()}, abs=1e-5
    )


@pytest.mark.parametrize("share", [1 / 3, 0.05 / 7, 1e-6, 0.0])
def test_whole_parts_add_up(share):
    segments = (("production", "a/b|-|-", 1 - share), ("explore", "c/d|-|-", share))
    trial = tuple(Segment(name=name, arm=arm, share=part) for name, arm, part in segments if part > 0)
    assert sum(flagd.weights(SkillRoute(salt="s", fixed=(), trial_salt="t", trial=trial)).values()) == flagd.WHOLE


def test_a_trial_of_a_prompt_leaves_units_without_a_draw_on_the_one_in_production(rollout, register):
    skills = SkillsFile(skills={"triage": Skill(baseline_model="m")})
    states = {"triage": rollout("m|-|-", "m|-|-", trials=(register("m|abc|-", "m|-|-"),))}
    rendered = flagd.render(Material(routing_document(states, skills, None)))[flagd.PLACE]
    assert json.loads(rendered.text)["flags"]["triage"]["defaultVariant"] == "m|-|-"


def test_a_contextual_policy_is_exported_as_the_arm_that_it_prefers_knowing_nothing(tmp_path):
    rule = Scorer(buckets=1, unit=1, arms=(ArmScore(arm=SMALL, bias=0.1), ArmScore(arm=LARGE, bias=0.2)))
    trial = (Segment(name="production", arm="scored/abc|-|-", share=1.0),)
    route = SkillRoute(salt="s", fixed=(), trial_salt="t", trial=trial, scorers={"scored/abc|-|-": rule})
    warnings = export(Material(RoutingDocument(version=1, skills={"summary": route})), tmp_path)
    assert all("depends on the request" in said[0] for said in warnings.values())
    policy = json.loads((tmp_path / inference_policy.PLACE).read_text())
    assert policy["defaults"]["summary"] == ["anthropic/claude-haiku-4-5"]
