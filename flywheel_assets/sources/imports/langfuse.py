"""Langfuse exports: traces with their observations and scores, or observations and scores alone.

What instrumentation had sent to Langfuse is in each observation's metadata, and is told again as it
was; Langfuse's own fields come beside it under the names of its OpenTelemetry convention.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import ValidationError

from flywheel_assets.sources.foreign import Foreign, Piece, Record, Refused
from flywheel_assets.sources.plain_spans import (
    Plain,
    PlainSpan,
    hex_id,
    json_text,
    mapping,
    nanoseconds,
    request,
)
from flywheel_assets.sources.scan import explain
from flywheel_assets.sources.verdicts import Said, verdict

# Observation field → attribute of Langfuse's convention.
FIELDS = {
    "model": "langfuse.observation.model.name",
    "modelParameters": "langfuse.observation.model.parameters",
    "usageDetails": "langfuse.observation.usage_details",
    "costDetails": "langfuse.observation.cost_details",
    "completionStartTime": "langfuse.observation.completion_start_time",
    "promptName": "langfuse.observation.prompt.name",
    "promptVersion": "langfuse.observation.prompt.version",
    "level": "langfuse.observation.level",
    "statusMessage": "langfuse.observation.status_message",
    "input": "langfuse.observation.input",
    "output": "langfuse.observation.output",
}
OF_TRACE = {
    "name": "langfuse.trace.name",
    "sessionId": "langfuse.session.id",
    "userId": "langfuse.user.id",
    "environment": "langfuse.environment",
    "release": "langfuse.release",
    "version": "langfuse.version",
    "tags": "langfuse.trace.tags",
}
TIERS = {"ANNOTATION": "human", "EVAL": "judge", "API": "outcome"}


def _recognises(values: Sequence[object]) -> bool:
    return any(_kind(one) for value in values for one in _each(value))


def _each(value: object) -> Iterator[Plain]:
    """The traces, observations and scores in a document: itself, its items, or a page's `data`."""
    page = value.get("data") if isinstance(value, Mapping) and "meta" in value else None
    for one in page if isinstance(page, list) else value if isinstance(value, list) else [value]:
        if isinstance(one, Mapping):
            yield one


def _kind(one: Plain) -> str | None:
    trace = one.get("trace", one)
    if isinstance(trace, Mapping) and "id" in trace and isinstance(one.get("observations"), list):
        return "trace"
    if "traceId" not in one:
        return None
    if "dataType" in one and "value" in one:
        return "score"
    return "observation" if "type" in one and "parentObservationId" in one else None


def _read(records: Iterable[Record], _content: bool) -> Iterator[Piece]:
    for record in records:
        if record.fault is not None:
            yield Refused(record.where, record.fault)
            continue
        for one in _each(record.value):
            kind = _kind(one)
            if kind == "trace":
                yield from _trace(one, record.where)
            elif kind == "observation":
                yield from _observations({}, [one], record.where)
            elif kind == "score":
                yield _score(one, {}, record.where)
            else:
                yield Refused(record.where, "neither a trace with observations nor an observation nor a score", one)


def _trace(one: Plain, where: str) -> Iterator[Piece]:
    trace = mapping(one.get("trace", one))
    given = [item for item in _list(one.get("observations")) if isinstance(item, Mapping)]
    yield from _observations(trace, given, where)
    scores = {id(score): score for part in (one, trace) for score in _list(part.get("scores"))}
    roots = {str(trace.get("id")): _root(given)}
    for score in scores.values():
        yield _score(mapping(score), roots, where)


def _list(given: object) -> list[object]:
    return given if isinstance(given, list) else []


def _root(observations: Sequence[Plain]) -> str:
    """The observation that the others hang from: of several the first."""
    held = {one.get("id") for one in observations}
    roots = [one for one in observations if one.get("parentObservationId") not in held]
    return (
        str(min(roots, key=lambda one: (nanoseconds(one.get("startTime")), str(one.get("id"))))["id"]) if roots else ""
    )


def _observations(trace: Plain, given: Sequence[Plain], where: str) -> Iterator[Piece]:
    groups: dict[bytes, tuple[Plain, Plain, list[PlainSpan]]] = {}
    for one in given:
        if not nanoseconds(one.get("startTime")):
            yield Refused(where, "an observation without a start time", one)
            continue
        meta = mapping(one.get("metadata"))
        resource, scope = mapping(meta.get("resourceAttributes")), mapping(meta.get("scope"))
        key = (json_text(resource) or "").encode() + (json_text(scope) or "").encode()
        groups.setdefault(key, (resource, scope, []))[2].append(_span(one, trace, meta))
    for resource, scope, spans in groups.values():
        yield request(spans, resource, scope)


def _span(one: Plain, trace: Plain, meta: Plain) -> PlainSpan:
    attributes: dict[str, object] = {
        **mapping(meta.get("attributes")),
        "langfuse.observation.type": str(one.get("type") or "span").lower(),
    }
    for source, names in ((one, FIELDS), (trace, OF_TRACE)):
        for name, key in names.items():
            value = source.get(name)
            if value not in (None, "", [], {}):
                attributes[key] = (
                    value if isinstance(value, int | float | list) and name == "tags" else json_text(value)
                )
    for name, value in meta.items():
        if name not in ("attributes", "resourceAttributes", "scope"):
            attributes[f"langfuse.observation.metadata.{name}"] = json_text(value)
    return PlainSpan(
        trace_id=hex_id(one.get("traceId"), 32),
        span_id=hex_id(one.get("id"), 16),
        parent_id=hex_id(one.get("parentObservationId"), 16),
        name=str(one.get("name") or one.get("type") or ""),
        start=nanoseconds(one.get("startTime")),
        end=nanoseconds(one.get("endTime")),
        status=2 if one.get("level") == "ERROR" else 0,
        message=str(one.get("statusMessage") or ""),
        attributes=attributes,
    )


def _score(score: Plain, roots: Mapping[str, str], where: str) -> Piece:
    trace, span = str(score.get("traceId") or ""), str(score.get("observationId") or "")
    about = span or roots.get(trace, "")
    if about and trace:
        kind, target = ("span" if span else "run"), f"{hex_id(trace, 32)}:{hex_id(about, 16)}"
    elif score.get("sessionId"):
        kind, target = "session", str(score["sessionId"])
    else:
        return Refused(where, "a score of a trace whose observations are not beside it", score)
    try:
        return verdict(
            kind,
            target,
            Said(
                name=score.get("name"),
                score=score.get("value"),
                label=score.get("stringValue"),
                comment=score.get("comment"),
                tier=TIERS.get(str(score.get("source")), "judge"),
                author=score.get("authorUserId") or score.get("configId") or score.get("name"),
                observed_at=score.get("timestamp") or score.get("updatedAt") or score.get("createdAt"),
            ),
        )
    except ValidationError as error:
        return Refused(where, f"a score that cannot be read: {explain(error)}", score)


FORM = Foreign("langfuse", _recognises, _read)
