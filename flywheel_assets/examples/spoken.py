"""Reads statements out of the forms they arrive in."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, cast

import orjson

from flywheel_assets.examples.statement import UNREGISTERED, Shown, Statement, as_text, shown_in, tier_of, value_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ANNOTATION = re.compile(
    r"^(?:(trace|session|span)\.)?(annotations|evaluations)\.(\d+)\.(?:annotation|evaluation)\.(.+)$"
)
TARGETS = ("run", "span", "session", "response")


def evaluation(row: Mapping[str, object]) -> Statement:
    """A `gen_ai.evaluation.result` event.

    It is about the target it names, else the response it names, else the span it is on; a span made
    for the evaluation alone speaks of the one span it links to, else of its parent.
    """
    (kind, target), response, said = _evaluated(cast("str | None", row["body"]))
    if target is None:
        elsewhere = response is not None and response != row["response_id"]
        kind, target = ("response", cast("str", response)) if elsewhere else ("span", _judged(row))
    return Statement(target_kind=kind, target_id=target, observed_at=_time(row["said_at"]), source="span_event", **said)


# Checks say the same of many runs.
@lru_cache(maxsize=1000)
def _evaluated(text: str | None) -> tuple[tuple[str, str | None], str | None, dict[str, Any]]:
    """The target that an evaluation names, the response that it names, and the fields that it fills."""
    body = _object(text)
    kind, target = body.get("flywheel.target.kind"), as_text(body.get("flywheel.target.id"))
    named = (str(kind), target) if kind in TARGETS and target is not None else ("span", None)
    tier, stated = tier_of(body.get("flywheel.label.source_tier"), body.get("flywheel.evaluator.kind"))
    name = as_text(body.get("gen_ai.evaluation.name")) or "unnamed"
    score, label = body.get("gen_ai.evaluation.score.value"), body.get("gen_ai.evaluation.score.label")
    if "error.type" in body:
        # An evaluator that failed has said nothing, whatever it filled in.
        score, label = None, f"error: {body['error.type']}"
    value, value_text = value_of(score, label, body)
    said = {
        "name": name,
        "value": value,
        "value_text": value_text,
        "comment": as_text(body.get("gen_ai.evaluation.explanation")),
        "tier": tier,
        "author_id": as_text(body.get("flywheel.evaluator.id")) or (name if stated else UNREGISTERED),
        "author_version": as_text(body.get("flywheel.evaluator.version")),
        "shown": _shown(body),
    }
    return named, as_text(body.get("gen_ai.response.id")), said


def annotations(row: Mapping[str, object], body: Mapping[str, object]) -> Iterator[Statement]:
    """OpenInference annotations and evaluations of the span, its trace or its session."""
    found: dict[tuple[str, str, int], dict[str, object]] = defaultdict(dict)
    for key, value in body.items():
        if match := ANNOTATION.match(key):
            found[(match[1] or "span", match[2], int(match[3]))][match[4]] = value
    for (about, _, _), parts in sorted(found.items()):
        name = as_text(parts.get("name"))
        if name is None:
            continue
        tier, stated = tier_of(None, parts.get("annotator_kind"))
        author = as_text(parts.get("identifier")) or (str(parts["annotator_kind"]).lower() if stated else UNREGISTERED)
        value, text = value_of(parts.get("score"), parts.get("label"), _object(parts.get("metadata")))
        judged = _judged(row)
        session = as_text(row["session_id"])
        if about == "session" and session is None:
            continue
        yield Statement(
            target_kind={"trace": "run"}.get(about, about),
            target_id=cast("str", session) if about == "session" else judged,
            name=name,
            value=value,
            value_text=text,
            comment=as_text(parts.get("explanation")),
            tier=tier,
            author_id=author,
            author_version=None,
            observed_at=_time(row["said_at"]),
            source="span_event",
        )


def score(row: Mapping[str, object], body: Mapping[str, object]) -> Iterator[Statement]:
    """Scores that an Inngest function gave its own run: {name: {"value": number or bool}}."""
    for name, given in sorted(body.items()):
        number = cast("dict[str, object]", given).get("value") if isinstance(given, dict) else given
        value, text = value_of(number, None, {})
        if value is None and text is None:
            continue
        yield Statement(
            target_kind="run",
            target_id=str(row["invocation_id"]),
            name=name,
            value=value,
            value_text=text,
            comment=None,
            tier="outcome",
            author_id="inngest.score",
            author_version=None,
            observed_at=_time(row["said_at"]),
            source="span_event",
        )


def posted_statement(line: Mapping[str, object]) -> Statement | None:
    """A posted line; None where it lacks a target, a name or a time."""
    target, name, kind = as_text(line.get("target_id")), as_text(line.get("name")), line.get("target_kind")
    try:
        observed_at = datetime.fromisoformat(str(line.get("observed_at")))
    except ValueError:
        return None
    if target is None or name is None or kind not in TARGETS:
        return None
    tier, stated = tier_of(line.get("tier"), None)
    low, high = cast("Sequence[object]", line.get("scale") or (None, None))
    scale = {"flywheel.outcome.min": low, "flywheel.outcome.max": high}
    value, text = value_of(line.get("value"), line.get("value_text"), scale)
    correction, demonstration = (_mapping(line.get(name)) for name in ("correction", "demonstration"))
    return Statement(
        target_kind=str(kind),
        target_id=target,
        name=name,
        value=value,
        value_text=text,
        comment=as_text(line.get("comment")),
        tier=tier,
        author_id=as_text(line.get("author_id")) or (name if stated else UNREGISTERED),
        author_version=as_text(line.get("author_version")),
        observed_at=(observed_at if observed_at.tzinfo else observed_at.replace(tzinfo=UTC)).astimezone(UTC),
        source="posted",
        shown=shown_in(correction, demonstration),
    )


def _shown(body: Mapping[str, object]) -> Shown | None:
    told = [
        {name: body.get(f"flywheel.{kind}.{name}") for name in names}
        for kind, names in (("correction", ("before", "after")), ("demonstration", ("request", "answer")))
    ]
    return shown_in(*told)


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _judged(row: Mapping[str, object]) -> str:
    links = cast("list[dict[str, str]]", row["links"] or [])
    if row["aside"] and len(links) == 1:
        return f"{links[0]['trace_id']}:{links[0]['span_id']}"
    span = row["parent_span_id"] if row["aside"] and row["parent_span_id"] else row["span_id"]
    return f"{row['trace_id']}:{span}"


def _object(text: object) -> Mapping[str, object]:
    try:
        found = orjson.loads(text) if isinstance(text, str) else {}
    except orjson.JSONDecodeError:
        return {}
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def _time(nanos: object) -> datetime:
    return EPOCH + timedelta(microseconds=cast("int", nanos) // 1000)
