"""`say`: how a run, span or session went, told on OpenTelemetry spans or posted to the receiver.

On the judged span while it is open it is an event `gen_ai.evaluation.result`; for anything that is
over it is that event on a span of its own, `flywheel.feedback`, which names its target.
"""

import sys
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from flywheel_assets.client.post import Poster

TIERS = ("human", "check", "outcome", "judge", "heuristic")


class Statement(TypedDict, total=False):
    """What can be said beside a name and a value.

    At most one of `run`, `span`, `session`, `response` names the target; without any it is the
    current span. `run` is a run id or the run's root span, `span` a span or '<trace id>:<span id>'.
    `scale` are the ends of the value's range. `tier` is who speaks, the least trusted by default.
    `correction` is (what was answered, or None for the target's own; what would have been right), and
    `demonstration` (a request, or None for the target's own; how it is answered well).
    """

    run: object
    span: object
    session: str
    response: str
    value_text: str
    comment: str
    correction: tuple[str | None, str]
    demonstration: tuple[str | None, str]
    tier: str
    author: str
    author_version: str
    scale: tuple[float, float]
    at: datetime
    tracer: object


def say(name: str, value: float | None = None, *, poster: Poster | None = None, **statement: Unpack[Statement]) -> bool:
    """Tell how something went: `value` within `scale` (0 to 1), higher is better. Never raises.

    False where it could not be told: no target, no recording span, a full queue, a value out of range,
    an unknown tier, nothing to say.
    """
    try:
        said = _normalised(value, statement.get("scale", (0.0, 1.0)))
    except (TypeError, ValueError, ArithmeticError):
        return False
    something = said is not None or statement.get("value_text") or statement.get("comment") or _shown(statement)
    if not name or not something or statement.get("tier", "heuristic") not in TIERS:
        return False
    at = statement.get("at") or datetime.now(tz=UTC)
    if poster is not None:
        return _post(poster, name, said, at, statement)
    return _tell(name, said, at, statement)


def _normalised(value: float | None, scale: tuple[float, float]) -> float | None:
    """The value on [0, 1]. Raises ValueError outside its scale: a wrong value is worse than none."""
    if value is None:
        return None
    low, high = scale
    said = (float(value) - low) / (high - low)
    if not 0 <= said <= 1:
        raise ValueError(f"{value} is not within {scale}")
    return said


def _post(poster: Poster, name: str, value: float | None, at: datetime, statement: Statement) -> bool:
    target = _target(statement)
    if target is None:
        return False
    said = {
        "target_kind": target[0],
        "target_id": target[1],
        "name": name,
        "value": value,
        "value_text": statement.get("value_text"),
        "comment": statement.get("comment"),
        **_shown(statement),
        "tier": statement.get("tier", "heuristic"),
        "author_id": statement.get("author"),
        "author_version": statement.get("author_version"),
        "observed_at": at.astimezone(UTC).isoformat(),
    }
    return poster.post({key: item for key, item in said.items() if item is not None})


def _tell(name: str, value: float | None, at: datetime, statement: Statement) -> bool:
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return False
    nanoseconds = int(at.timestamp() * 1_000_000) * 1000
    attributes = _attributes(name, value, statement)
    judged: Any = statement.get("run") or statement.get("span")
    if not _named(statement):
        judged = trace.get_current_span()
    if hasattr(judged, "is_recording") and judged.is_recording():
        judged.add_event("gen_ai.evaluation.result", attributes, timestamp=nanoseconds)
        return True
    target = _target(statement) if _named(statement) else None
    if target is None:
        return False
    attributes |= {"flywheel.target.kind": target[0], "flywheel.target.id": target[1]}
    tracer: Any = statement.get("tracer") or trace.get_tracer("flywheel.client")
    # An empty context: the statement must not become part of the run that happens to make it.
    span = tracer.start_span(
        "flywheel.feedback", sys.modules["opentelemetry.context"].Context(), start_time=nanoseconds
    )
    told = span.is_recording()
    span.set_attributes({key: attributes[key] for key in ("flywheel.target.kind", "flywheel.target.id")})
    span.add_event("gen_ai.evaluation.result", attributes, timestamp=nanoseconds)
    span.end(end_time=nanoseconds)
    return told


def _attributes(name: str, value: float | None, statement: Statement) -> dict[str, str | float]:
    values = {
        "gen_ai.evaluation.name": name,
        "gen_ai.evaluation.score.value": value,
        "gen_ai.evaluation.score.label": statement.get("value_text"),
        "gen_ai.evaluation.explanation": statement.get("comment"),
        "flywheel.label.source_tier": statement.get("tier", "heuristic"),
        "flywheel.evaluator.id": statement.get("author"),
        "flywheel.evaluator.version": statement.get("author_version"),
    }
    values |= {
        f"flywheel.{kind}.{part}": item for kind, parts in _shown(statement).items() for part, item in parts.items()
    }
    return {key: item for key, item in values.items() if item is not None}


def _shown(statement: Statement) -> dict[str, dict[str, str]]:
    """The correction or demonstration by its parts' names."""
    given = {
        "correction": ("before", "after", statement.get("correction")),
        "demonstration": ("request", "answer", statement.get("demonstration")),
    }
    return {
        kind: {first: str(pair[0]), last: str(pair[1])} if pair[0] else {last: str(pair[1])}
        for kind, (first, last, pair) in given.items()
        if pair is not None and pair[1]
    }


def _named(statement: Statement) -> bool:
    """Whether the statement names its target."""
    return any(statement.get(kind) is not None for kind in ("run", "span", "session", "response"))


def _target(statement: Statement) -> tuple[str, str] | None:
    """Kind and id of the target; None where there is none."""
    for kind in ("run", "span", "session", "response"):
        target = statement.get(kind)
        if target is not None:
            name = _span_name(target) if hasattr(target, "get_span_context") else str(target)
            return (kind, name) if name else None
    trace = sys.modules.get("opentelemetry.trace")
    name = _span_name(trace.get_current_span()) if trace is not None else None
    return ("span", name) if name else None


def _span_name(span: Any) -> str | None:  # noqa: ANN401 - OpenTelemetry is optional, its types are not to be imported
    """'<trace id>:<span id>' of a span; None for the invalid span."""
    context = span.get_span_context()
    return f"{context.trace_id:032x}:{context.span_id:016x}" if context.is_valid else None
