"""Phoenix exports: OpenInference spans as JSON, JSON lines or a dataframe (Parquet, or JSON of it).

Attributes come nested, or flat with 'attributes.' before each, or both; annotations beside a span
become feedback about it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

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

KIND = "openinference.span.kind"
# Objects that OpenInference writes as JSON text under one key.
WHOLE = frozenset({"metadata", "llm.invocation_parameters", "tool.parameters", "input.value", "output.value"})
TIERS = {"HUMAN": "human", "LLM": "judge", "CODE": "check"}
TOGETHER = 512


def _recognises(values: Sequence[object]) -> bool:
    return any(_is_span(one) for value in values for one in _each(value))


def _each(value: object) -> Iterator[object]:
    """Spans of a document: itself, its items, a page's `data`, or the rows of a dataframe by columns."""
    if isinstance(value, Mapping) and isinstance(value.get("context.trace_id"), Mapping):
        for index in value["context.trace_id"]:
            row = {column: held.get(index) for column, held in value.items() if isinstance(held, Mapping)}
            yield {"context.span_id": index, **{key: one for key, one in row.items() if one is not None}}
        return
    page = value.get("data") if isinstance(value, Mapping) else None
    yield from page if isinstance(page, list) else value if isinstance(value, list) else [value]


def _is_span(one: object) -> bool:
    return isinstance(one, Mapping) and "span_kind" in one and ("context" in one or "context.trace_id" in one)


def _read(records: Iterable[Record], _content: bool) -> Iterator[Piece]:
    spans: list[PlainSpan] = []
    for record in records:
        for one in [] if record.fault else _each(record.value):
            span = _span(mapping(one)) if _is_span(one) else None
            if span is None:
                yield Refused(record.where, "no span: it needs ids, a start time and a span kind", one)
                continue
            spans.append(span)
            yield from _annotations(mapping(one), span, record.where)
        if record.fault is not None:
            yield Refused(record.where, record.fault)
        while len(spans) >= TOGETHER:
            yield request(spans[:TOGETHER], {}, {"name": "phoenix"})
            del spans[:TOGETHER]
    if spans:
        yield request(spans, {}, {"name": "phoenix"})


def _span(one: Plain) -> PlainSpan | None:
    context = mapping(one.get("context"))
    trace_id = hex_id(context.get("trace_id") or one.get("context.trace_id"), 32)
    span_id = hex_id(context.get("span_id") or one.get("context.span_id"), 16)
    start = nanoseconds(one.get("start_time"))
    if not (trace_id and span_id and start):
        return None
    code = str(one.get("status_code") or "UNSET").upper()
    return PlainSpan(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=hex_id(one.get("parent_id"), 16),
        name=str(one.get("name") or ""),
        start=start,
        end=nanoseconds(one.get("end_time")),
        status=STATUSES.index(code) if code in STATUSES else 0,
        message=str(one.get("status_message") or ""),
        attributes=_attributes(one),
        events=[_event(mapping(event)) for event in _list(one.get("events"))],
    )


def _attributes(one: Plain) -> Plain:
    found: dict[str, object] = {KIND: str(one.get("span_kind") or "UNKNOWN").upper()}
    _flatten("", mapping(one.get("attributes")), found)
    for column, value in one.items():
        if column.startswith("attributes.") and value is not None:
            _flatten(column.removeprefix("attributes."), value, found)
    return found


def _flatten(key: str, value: object, found: dict[str, object]) -> None:
    if isinstance(value, Mapping) and key not in WHOLE:
        for name, inner in value.items():
            _flatten(f"{key}.{name}" if key else str(name), inner, found)
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value):
            _flatten(f"{key}.{number}", item, found)
    elif isinstance(value, Mapping):
        found[key] = json_text(value)
    elif value is not None:
        found[key] = value


def _event(given: Plain) -> PlainEvent:
    return PlainEvent(
        str(given.get("name") or ""), nanoseconds(given.get("timestamp")), mapping(given.get("attributes"))
    )


def _list(given: object) -> list[object]:
    return given if isinstance(given, list) else []


def _annotations(one: Plain, span: PlainSpan, where: str) -> Iterator[Piece]:
    for given in map(mapping, [*_list(one.get("annotations")), *_list(one.get("span_annotations"))]):
        result = {**given, **mapping(given.get("result"))}
        kind = str(given.get("annotator_kind") or "")
        name = str(given.get("name") or given.get("annotation_name") or "")
        try:
            yield verdict(
                "span",
                f"{span.trace_id}:{span.span_id}",
                Said(
                    name=name,
                    score=result.get("score"),
                    label=result.get("label"),
                    comment=result.get("explanation"),
                    tier=TIERS.get(kind.upper(), "judge"),
                    author=str(given.get("identifier") or given.get("user_id") or name),
                    observed_at=(given.get("updated_at") or given.get("created_at") or span.end or span.start),
                ),
            )
        except ValidationError as error:
            yield Refused(where, f"an annotation that cannot be read: {explain(error)}", given)


FORM = Foreign("phoenix", _recognises, _read)
