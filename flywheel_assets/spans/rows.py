"""Flattened requests → `raw_spans` rows.

Command lines (`process.command*`, which Inngest's SDK sends with every execution) are left out of
attributes and resource: they hold secrets. The landed bytes keep them.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import re
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.spans import ids, json_text
from flywheel_assets.spans.events import events, exception_types, links
from flywheel_assets.spans.maps import SCHEMA, maps
from flywheel_assets.spans.promote import promote
from flywheel_assets.spans.requests import Attributes, Spans, attributes, filled, times
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.table import DAY, INT, TEXT, TIME

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")
PRIVATE = "process.command"
ANNOTATIONS = re.compile(r"annotations\.|^evaluations\.")


def rows(spans: Spans, batch_ids: pa.StringArray, day: date) -> pa.RecordBatch:
    """One row of `SCHEMA` per span, whatever its day: `start_time` tells whether `day` is right.

    Raises ValueError where something is of no kind that OTLP knows.
    """
    nested = spans.nested
    carried = attributes(nested.field("attributes")).tidied(PRIVATE)
    start, end = (times(nested.field(f"{name}TimeUnixNano")) for name in ("start", "end"))
    status, names = nested.field("status"), pc.fill_null(nested.field("name"), "")
    columns = {
        "day": pa.repeat(pa.scalar(day, DAY), len(spans)),
        "trace_id": ids.hex_text(nested.field("traceId")),
        "span_id": ids.hex_text(nested.field("spanId")),
        "parent_span_id": ids.parents(ids.hex_text(nested.field("parentSpanId"))),
        "batch_id": batch_ids.take(pa.array(spans.request)),
        "name": names,
        "kind": _told(nested.field("kind"), KINDS, "SPAN_KIND_"),
        "start_time": pa.array(start // 1000).cast(TIME),
        "start_unix_nano": pa.array(start),
        "duration_ns": pa.array(end - start, INT, mask=end == 0),
        "status": _told(status.field("code"), STATUSES, "STATUS_CODE_"),
        "status_message": filled(status.field("message")),
        "scope_name": spans.scope_name,
        "scope_version": spans.scope_version,
        "scope_json": _scope(spans),
        "trace_state": filled(nested.field("traceState")),
        "flags": _count(nested.field("flags")),
        "dropped_attributes": _count(nested.field("droppedAttributesCount")),
        "dropped_events": _count(nested.field("droppedEventsCount")),
        "dropped_links": _count(nested.field("droppedLinksCount")),
        "events": events(nested.field("events")),
        "links": links(nested.field("links")),
        **_resource(spans),
        **promote(carried, names),
        "annotated": _annotated(carried),
        **maps(carried),
    }
    columns["error_type"] = pc.coalesce(columns["error_type"], exception_types(nested.field("events")))
    return pa.RecordBatch.from_arrays([columns[name] for name in RAW_SPANS.names], schema=SCHEMA)


def _told(codes: pa.Array, known: tuple[str, ...], prefix: str) -> pa.StringArray:
    """The word for each code, given as a number or by OTLP's name; the first one for what is unknown."""
    if pa.types.is_string(codes.type):
        spelled = pa.array([prefix + word.upper() for word in known])
        found = pc.coalesce(pc.index_in(codes, spelled), pc.index_in(codes, pa.array(map(str, range(len(known))))))
    else:
        found = pc.if_else(pc.less(pc.cast(codes, pa.uint32(), safe=False), len(known)), codes, 0)
    return pa.array(known, TEXT).take(pc.fill_null(found, 0))


def _count(given: pa.Array) -> pa.Int64Array:
    """The number, 0 where it was left out: OTLP does not tell the two apart."""
    return pc.fill_null(pc.cast(given, INT), 0)


def _annotated(carried: Attributes) -> pa.BooleanArray:
    """Whether a span's attributes say what somebody thought of it."""
    telling = np.array([ANNOTATIONS.search(word) is not None for word in carried.words()], bool)
    found = np.zeros(len(carried.offsets) - 1, bool)
    if telling.any():
        found[carried.owners()[telling[carried.codes()]]] = True
    return pa.array(found)


def _scope(spans: Spans) -> pa.StringArray:
    carried = spans.scope_attributes
    if len(carried) == 0:
        return pa.nulls(len(spans), TEXT)
    texts = json_text.objects(carried.offsets, carried.keys(), carried.as_json())
    return pc.if_else(pc.equal(texts, "{}"), pa.scalar(None, TEXT), texts).take(pa.array(spans.scope))


def _resource(spans: Spans) -> dict[str, pa.Array]:
    carried = spans.resource_attributes.tidied(PRIVATE)
    of_span = pa.array(spans.resource)
    texts = json_text.objects(carried.offsets, carried.keys(), carried.as_json())
    service = np.full(len(carried.offsets) - 1, -1, np.int64)
    named = carried.with_key("service.name")
    service[carried.owners()[named]] = named
    names = filled(carried.text.take(pa.array(service, mask=service < 0)))
    return {"service_name": names.take(of_span), "resource_json": texts.take(of_span)}
