"""`Statement`: one thing said about a run, span, session or response, whatever form it came in."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import NamedTuple

TIERS = ("human", "check", "outcome", "judge", "heuristic")
# Nobody we know: kept, and weighs nothing.
UNREGISTERED = "unregistered"
# What evaluators call their kind, in every convention.
KINDS = {
    **{tier: tier for tier in TIERS},
    "code": "check",
    "rule": "check",
    "llm": "judge",
    "model": "judge",
}
# Labels that say which end of the scale they mean; any other label is kept and weighs nothing.
POLES = {
    **dict.fromkeys(("pass", "passed", "true", "yes", "correct", "success", "positive", "good"), 1.0),
    **dict.fromkeys(("fail", "failed", "false", "no", "incorrect", "failure", "negative", "bad"), 0.0),
    **dict.fromkeys(("thumbs_up", "thumbsup", "thumb_up", "upvote", "like", "+1", *"👍❤🔥💯👏😍😀🙂✅⭐"), 1.0),
    **dict.fromkeys(("thumbs_down", "thumbsdown", "thumb_down", "downvote", "dislike", "-1", *"👎💔💩😡😠😞🙁❌"), 0.0),
}
# What a symbol's colour of skin or way of drawing adds to it: variation selectors, and the five skin tones.
_SHADES = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer that was shown to be right; see `tables/corrections.py`."""

    kind: str
    request: str | None
    before: str | None
    after: str


class Statement(NamedTuple):
    """See `tables/feedback.py` for what the fields mean. A tuple: a day has thousands, made in half the time."""

    target_kind: str
    target_id: str
    name: str
    value: float | None
    value_text: str | None
    comment: str | None
    tier: str
    author_id: str
    author_version: str | None
    observed_at: datetime
    source: str
    shown: Shown | None = None

    @property
    def feedback_id(self) -> str:
        """A hash that also covers what was said, so that of several statements at once none is lost."""
        said = (
            self.target_kind,
            self.target_id,
            self.name,
            self.author_id,
            self.observed_at.isoformat(),
            repr(self.value),
            repr(self.value_text),
            repr(self.comment),
            *([repr(self.shown)] if self.shown else []),
        )
        return hashlib.sha256("\x1f".join(said).encode()).hexdigest()[:32]

    def row(self, day: date, feedback_id: str) -> dict[str, object]:
        """The `feedback` row."""
        return {"day": day, "feedback_id": feedback_id, **{name: getattr(self, name) for name in SAID}}

    def shown_row(self, day: date, feedback_id: str) -> dict[str, object] | None:
        """The `corrections` row, where something was shown."""
        if self.shown is None:
            return None
        row = self.row(day, feedback_id)
        unsaid = ("name", "value", "value_text", "comment", "source")
        return {**{name: row[name] for name in row if name not in unsaid}, **asdict(self.shown)}


# All fields but `shown`, the last.
SAID = Statement._fields[:-1]


def shown_in(correction: Mapping[str, object], demonstration: Mapping[str, object]) -> Shown | None:
    """The correction {before, after}, else the demonstration {request, answer}; None where neither shows anything."""
    after, answer = as_text(correction.get("after")), as_text(demonstration.get("answer"))
    if after is not None:
        return Shown("correction", None, as_text(correction.get("before")), after)
    if answer is not None:
        return Shown("demonstration", as_text(demonstration.get("request")), None, answer)
    return None


def value_of(score: object, label: object, scale: Mapping[str, object]) -> tuple[float | None, str | None]:
    """(value in [0, 1], text): the score on its scale, else the label's pole.

    A score outside its scale has no value, only text: a guessed scale would make outcomes up.
    """
    text = None if label is None else str(label)
    number = as_number(score)
    if number is None:
        return (None if text is None else _pole(text)), text
    low, high = as_number(scale.get("flywheel.outcome.min")), as_number(scale.get("flywheel.outcome.max"))
    low, high = (0.0 if low is None else low), (1.0 if high is None else high)
    value = (number - low) / (high - low) if high > low else -1.0
    return (value, text) if 0 <= value <= 1 else (None, text or repr(number))


def _pole(text: str) -> float | None:
    """The end of the scale that a label means; thumbs and the like may be repeated, but not mixed."""
    word = _SHADES.sub("", text.strip().lower()).strip(":")
    known = POLES.get(word, POLES.get(re.sub(r"[\s-]+", "_", word)))
    if known is not None:
        return known
    symbols = {POLES.get(symbol) for symbol in word if not symbol.isspace()}
    return symbols.pop() if len(symbols) == 1 else None


def as_number(value: object) -> float | None:
    """A finite number, or None: text and missing values are not numbers, True is 1."""
    if isinstance(value, bool | int | float) and abs(float(value)) < float("inf"):
        return float(value)
    return None


def as_text(value: object) -> str | None:
    """Text that says something, or None."""
    return str(value) if isinstance(value, str | int | float) and str(value) else None


def tier_of(tier: object, kind: object) -> tuple[str, bool]:
    """(tier, whether anybody stated it): the stated tier, else the evaluator's kind, else judge."""
    for stated in (tier, kind):
        known = KINDS.get(stated.strip().lower()) if isinstance(stated, str) else None
        if known:
            return known, True
    return "judge", False
