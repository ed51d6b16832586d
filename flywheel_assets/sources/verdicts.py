"""Scores, annotations and assessments of other systems → posted feedback."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flywheel_assets.sources.plain_spans import nanoseconds
from flywheel_assets.tables.documents.feedback import PostedFeedback

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict in its system's own values."""

    name: object
    score: object
    label: object
    comment: object
    tier: str
    author: object
    observed_at: object


def verdict(kind: str, target: str, said: Said) -> PostedFeedback:
    """One statement. A score outside [0, 1] is kept as text: its scale is not known, and is not guessed.

    Raises pydantic.ValidationError that names what is missing.
    """
    score, label = said.score, said.label
    number = float(score) if isinstance(score, bool | int | float) and 0 <= score <= 1 else None
    text = label if label not in (None, "") else None if number is not None else score
    return PostedFeedback.model_validate(
        {
            "target_kind": kind,
            "target_id": target,
            "name": str(said.name or ""),
            "value": number,
            "value_text": None if text is None else str(text),
            "comment": str(said.comment) if said.comment else None,
            "tier": said.tier,
            "author_id": str(said.author or "unregistered"),
            "observed_at": instant(said.observed_at),
        }
    )


def instant(given: object) -> datetime | None:
    """The time in UTC, to the microsecond; None where there is none."""
    found = nanoseconds(given)
    return EPOCH + timedelta(microseconds=found // 1000) if found else None
