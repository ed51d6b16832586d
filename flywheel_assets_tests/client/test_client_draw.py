"""Client, specification and test vectors draw alike."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_assets.artifacts.prompts import prompt_path
from flywheel_assets.client import policy
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.cascade import models_of
from flywheel_assets.tables.documents.routing import SkillRoute, draw

VECTORS = json.loads((Path(__file__).parents[2] / "docs" / "decision-vectors.json").read_text())
ROUTE = SkillRoute.model_validate(VECTORS["route"])


def loaded(skill: str) -> policy.Route:
    return policy._route(skill, VECTORS["route"], lambda _: b"")


@pytest.mark.parametrize("vector", VECTORS["draws"], ids=lambda v: ascii(v["unit"]))
def test_the_draw_is_the_one_in_the_vectors(vector):
    assert draw(vector["salt"], vector["skill"], vector["unit"]) == vector["draw"]


@pytest.mark.parametrize("vector", VECTORS["decisions"], ids=lambda v: ascii(v["unit"]))
def test_the_client_decides_as_in_the_vectors(vector):
    choice = loaded(vector["skill"]).choose(vector["unit"])
    assert (choice.segment, choice.arm) == (vector["segment"], vector["arm"])
    assert choice.propensity == pytest.approx(vector["propensity"], abs=1e-12)


@pytest.mark.parametrize("vector", VECTORS["cascades"], ids=lambda v: v["arm"])
def test_a_cascades_steps_are_those_in_the_vectors(vector):
    model = Arm.parse(vector["arm"]).model
    assert policy.steps(model) == (vector["gate"], vector["models"])
    assert list(models_of(model)) == vector["models"]


@given(skill=st.text(), unit=st.text())
def test_the_client_decides_as_the_specification_says(skill, unit):
    at = draw(ROUTE.salt, skill, unit)
    edge, expected = 0.0, None
    for segment in ROUTE.fixed:
        edge += segment.share
        expected = expected or (segment if at < edge else None)
    at, edge = draw(ROUTE.trial_salt, skill, unit), 0.0
    for segment in ROUTE.trial:
        edge += segment.share
        expected = expected or (segment if at < edge else None)
    choice = loaded(skill).choose(unit)
    assert (choice.segment, choice.arm) == (expected.name, expected.arm)


@given(skill=st.text(min_size=1), version=st.text("0123456789abcdef", min_size=12, max_size=12))
def test_publisher_and_client_agree_on_where_a_prompt_is(skill, version):
    path = policy.prompt_path(skill, version)
    assert path == prompt_path(skill, version)
    assert len(path.split("/")) == 3
    assert not {".", "..", ""} & set(path.split("/"))
