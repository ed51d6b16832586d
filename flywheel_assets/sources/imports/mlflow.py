"""MLflow traces as JSON: `{"info": …, "data": {"spans": […]}}`, one or several, of versions 2 and 3.

Attribute values are JSON texts there, and ids base64 or hex with 0x before it.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson
from pydantic import ValidationError

from flywheel_assets.sources.foreign import Foreign, Piece, Record, Refused
from flywheel_assets.sources.plain_spans import (
    STATUSES,
    Plain,
    PlainEvent,
    PlainSpan,
    hex_id,
    json_text,
    mapping,
    nanoseconds,
    request,
)
from flywheel_assets.sources.scan import explain
from flywheel_assets.sources.verdicts import Said, verdict

TIERS = {"HUMAN": "human", "LLM_JUDGE": "judge", "AI_JUDGE": "judge", "CODE": "check"}


def _recognises(values: Sequence[object]) -> bool:
    return any(_is_trace(one) for value in values for one in _each(value))


def _each(value: object) -> Iterator[object]:
    held = value.get("traces") if isinstance(value, Mapping) else None
    yield from held if isinstance(held, list) else value if isinstance(value, list) else [value]


def _is_trace(one: object) -> bool:
    return (
        isinstance(one, Mapping)
        and isinstance(one.get("info"), Mapping)
        and isinstance(mapping(one.get("data")).get("spans"), list)
    )


def _read(records: Iterable[Record], _content: bool) -> Iterator[Piece]:
    for record in records:
        for one in [] if record.fault else _each(record.value):
            if _is_trace(one):
                yield from _trace(mapping(one), record.where)
            else:
                yield Refused(record.where, "no MLflow trace: it needs 'info' and 'data.spans'", one)
        if record.fault is not None:
            yield Refused(record.where, record.fault)


def _trace(trace: Plain, where: str) -> Iterator[Piece]:
    info = mapping(trace["info"])
    stated = {
        **mapping(info.get("request_metadata")),
        **mapping(info.get("trace_metadata")),
        **mapping(info.get("tags")),
    }
    of_trace = {key: value for key, value in stated.items() if key in ("mlflow.trace.session", "mlflow.trace.user")}
    if "mlflow.traceName" in stated:
        of_trace["mlflow.traceName"] = stated["mlflow.traceName"]
    spans: list[PlainSpan] = []
    for given in trace["data"]["spans"]:  # pyright: ignore[reportIndexIssue]
        span = _span(mapping(given), of_trace)
        if span is None:
            yield Refused(where, "a span without ids or a start time", given)
        else:
            spans.append(span)
    if spans:
        yield request(spans, {}, {"name": "mlflow"})
    held = {span.span_id for span in spans}
    root = next((span for span in sorted(spans, key=lambda one: one.start) if span.parent_id not in held), None)
    for given in [*_list(info.get("assessments")), *_list(trace.get("assessments"))]:
        yield _assessment(mapping(given), root, where)


def _list(given: object) -> list[object]:
    return given if isinstance(given, list) else []


def _span(given: Plain, of_trace: Plain) -> PlainSpan | None:
    context, status = mapping(given.get("context")), given.get("status")
    trace_id = _id(given.get("trace_id") or context.get("trace_id"), 16)
    span_id = _id(given.get("span_id") or context.get("span_id"), 8)
    start = nanoseconds(given.get("start_time_unix_nano") or given.get("start_time"))
    if not (trace_id and span_id and start):
        return None
    stated = mapping(status) if isinstance(status, Mapping) else {"code": given.get("status_code"), "message": None}
    code = str(stated.get("code") or "").removeprefix("STATUS_CODE_")
    return PlainSpan(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=_id(given.get("parent_span_id") or given.get("parent_id"), 8),
        name=str(given.get("name") or ""),
        start=start,
        end=nanoseconds(given.get("end_time_unix_nano") or given.get("end_time")),
        status=STATUSES.index(code) if code in STATUSES else 0,
        message=str(stated.get("message") or given.get("status_message") or ""),
        attributes={**{key: _told(value) for key, value in mapping(given.get("attributes")).items()}, **of_trace},
        events=[_event(mapping(event)) for event in _list(given.get("events"))],
    )


def _event(given: Plain) -> PlainEvent:
    at = nanoseconds(given.get("time_unix_nano") or given.get("timestamp"))
    return PlainEvent(str(given.get("name") or ""), at, mapping(given.get("attributes")))


def _told(value: object) -> object:
    """The value behind its JSON text; an object or array stays text, as conventions have it."""
    if not isinstance(value, str):
        return value if isinstance(value, bool | int | float) else json_text(value)
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    return found if isinstance(found, str | bool | int | float) else value


def _id(given: object, size: int) -> str:
    """Hex digits of an id in hex or in base64."""
    text = str(given or "")
    if len(text) == 4 * ((size + 2) // 3) and not text.startswith("0x"):
        try:
            return base64.b64decode(text, validate=True).hex()
        except (binascii.Error, ValueError):
            pass
    return hex_id(text.removeprefix("tr-"), 2 * size)


def _assessment(given: Plain, root: PlainSpan | None, where: str) -> Piece:
    if root is None:
        return Refused(where, "an assessment of a trace without spans", given)
    source = mapping(given.get("source"))
    said = given.get("feedback", given.get("expectation"))
    value = said.get("value") if isinstance(said, Mapping) else said
    span = _id(given.get("span_id"), 8)
    known = isinstance(value, bool | int | float)
    try:
        return verdict(
            "span" if span else "run",
            f"{root.trace_id}:{span or root.span_id}",
            Said(
                name=str(given.get("assessment_name") or given.get("name") or ""),
                score=value if known else None,
                label=None if known else json_text(value),
                comment=given.get("rationale"),
                tier=TIERS.get(str(source.get("source_type")), "judge"),
                author=str(source.get("source_id") or ""),
                observed_at=(given.get("create_time") or given.get("create_time_ms") or root.end or root.start),
            ),
        )
    except ValidationError as error:
        return Refused(where, f"an assessment that cannot be read: {explain(error)}", given)


FORM = Foreign("mlflow", _recognises, _read)
