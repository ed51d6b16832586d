"""Posted feedback: one statement about a run, span, session or response, as it comes through a door."""

import re
from datetime import UTC, date
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

_SPAN = re.compile(r"[0-9a-fA-F]{32}:[0-9a-fA-F]{16}")


class Correction(BaseModel):
    """What was answered, and what would have been right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: str | None = Field(default=None, description="What is put right; without it, what the target answered")
    after: str = Field(min_length=1, description="What would have been right")


class Demonstration(BaseModel):
    """How it is done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: str | None = Field(default=None, description="What is answered; without it, what the target was asked")
    answer: str = Field(min_length=1, description="How it is answered well")


class PostedFeedback(BaseModel):
    """What somebody said of a target.

    At least one of value (yes or no, or a number on `scale`), value_text (a category, or free text), comment,
    correction and demonstration is given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target_kind: Literal["run", "span", "session", "response"]
    target_id: str = Field(min_length=1, description="A span is '<trace id>:<span id>', both hex")
    name: str = Field(min_length=1, description="What was judged, e.g. correctness")
    value: bool | float | None = Field(
        default=None, allow_inf_nan=False, description="Outcome: true or false, or a number on `scale`; high is good"
    )
    scale: tuple[float, float] | None = Field(default=None, description="Worst and best value; without it, 0 and 1")
    value_text: str | None = Field(default=None, description="Category, label or free text")
    comment: str | None = Field(default=None, description="Explanation")
    correction: Correction | None = None
    demonstration: Demonstration | None = None
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
        shown = (self.correction, self.demonstration)
        if self.value is None and not self.value_text and not self.comment and shown == (None, None):
            raise ValueError("give at least one of value, value_text, comment, correction and demonstration")
        if None not in shown:
            raise ValueError("give a correction or a demonstration, not both")
        low, high = self.scale or (0.0, 1.0)
        if not low < high:
            raise ValueError("scale is [worst, best], and best is the greater")
        if self.value is not None and not low <= self.value <= high:
            raise ValueError(f"value is not on its scale, {low:g} to {high:g}")
        if self.target_kind == "span" and not _SPAN.fullmatch(self.target_id):
            raise ValueError("a span's target_id is '<trace id>:<span id>', 32 and 16 hex digits")
        return self

    @property
    def about(self) -> date:
        """The UTC day that it is kept with."""
        return self.day or self.observed_at.astimezone(UTC).date()
