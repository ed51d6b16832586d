"""Posted feedback: one statement about a run, span, session or response, as it comes through a door."""

import re
from datetime import UTC, date
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

_SPAN = re.compile(r"[0-9a-fA-F]{32}:[0-9a-fA-F]{16}")


class PostedFeedback(BaseModel):
    """What somebody said of a target. At least one of value, value_text and comment is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target_kind: Literal["run", "span", "session", "response"]
    target_id: str = Field(min_length=1, description="A span is '<trace id>:<span id>', both hex")
    name: str = Field(min_length=1, description="What was judged, e.g. correctness")
    value: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False, description="Outcome, 1 is best")
    value_text: str | None = Field(default=None, description="Category, label or free text")
    comment: str | None = Field(default=None, description="Explanation")
    tier: Literal["human", "check", "outcome", "judge", "heuristic"]
    author_id: str = Field(default="unregistered", min_length=1, description="'unregistered' weighs nothing")
    author_version: str | None = Field(default=None, description="Version of a check or judge")
    observed_at: AwareDatetime = Field(description="When it was observed, with its UTC offset")
    day: date | None = Field(
        default=None, description="UTC day of the run that it is about; needed where that is more than a week earlier"
    )

    @model_validator(mode="after")
    def says_something(self) -> Self:
        """It has content, and a span target can be found."""
        if self.value is None and not self.value_text and not self.comment:
            raise ValueError("give at least one of value, value_text and comment")
        if self.target_kind == "span" and not _SPAN.fullmatch(self.target_id):
            raise ValueError("a span's target_id is '<trace id>:<span id>', 32 and 16 hex digits")
        return self

    @property
    def about(self) -> date:
        """The UTC day that it is kept with."""
        return self.day or self.observed_at.astimezone(UTC).date()
