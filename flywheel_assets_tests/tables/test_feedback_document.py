"""What may be posted, and that the schema in the docs says just that."""

from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from flywheel_assets.tables.documents.feedback import PostedFeedback
from flywheel_assets.tables.feedback_schema import feedback_schema

GIVEN = {
    "target_kind": "run",
    "target_id": "r1",
    "name": "answer",
    "tier": "human",
    "author_id": "ann",
    "observed_at": "2026-11-20T13:00:00Z",
}
GOOD = {
    "yes": {"value": True},
    "a score": {"value": 0.5},
    "a score on its scale": {"value": 4, "scale": [1, 5]},
    "a category": {"value_text": "rude"},
    "free text": {"comment": "too long"},
    "a correction": {"correction": {"before": "a", "after": "b"}},
    "a demonstration": {"demonstration": {"answer": "b"}},
    "of a session": {"value": False, "target_kind": "session"},
    "of a span": {"value": False, "target_kind": "span", "target_id": f"{'a' * 32}:{'b' * 16}"},
}
BAD = {
    "nothing said": ({}, "at least one"),
    "off the usual scale": ({"value": 4}, "not on its scale, 0 to 1"),
    "off its own scale": ({"value": 6, "scale": [1, 5]}, "not on its scale, 1 to 5"),
    "a scale upside down": ({"value": 4, "scale": [5, 1]}, "best is the greater"),
    "not a number": ({"value": float("nan")}, "finite"),
    "a correction to nothing": ({"correction": {"before": "a", "after": ""}}, "at least 1 character"),
    "a correction without its end": ({"correction": {"before": "a"}}, "Field required"),
    "both shown": ({"correction": {"after": "b"}, "demonstration": {"answer": "b"}}, "not both"),
    "a word that means nothing": ({"value": 1, "correct": True}, "Extra inputs"),
    "a span by half its id": ({"value": 1, "target_kind": "span"}, "32 and 16 hex digits"),
}


@pytest.mark.parametrize("said", GOOD.values(), ids=GOOD)
def test_every_kind_of_feedback_can_be_posted_and_fits_the_schema(said):
    posted = PostedFeedback.model_validate({**GIVEN, **said})
    assert PostedFeedback.model_validate_json(posted.model_dump_json()) == posted
    jsonschema.validate({**GIVEN, **said}, PostedFeedback.model_json_schema())


@pytest.mark.parametrize(("said", "reason"), BAD.values(), ids=BAD)
def test_what_cannot_be_meant_is_refused_with_its_reason(said, reason):
    with pytest.raises(ValidationError, match=reason):
        PostedFeedback.model_validate({**GIVEN, **said})


def test_the_schema_in_the_docs_is_current():
    page = Path(__file__).parents[2] / "docs" / "feedback.schema.json"
    assert page.read_text(encoding="utf-8") == feedback_schema()
