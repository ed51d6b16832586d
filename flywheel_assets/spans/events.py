"""Span events and links, and the exceptions that events tell of."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.spans import ids, json_text
from flywheel_assets.spans.requests import attributes, filled, repeated, times
from flywheel_assets.tables.raw_spans import EVENT, LINK
from flywheel_assets.tables.table import TEXT


def events(lists: pa.ListArray) -> pa.ListArray:
    """Each span's events, their attributes as JSON text."""
    found = lists.values
    at = pa.array(times(found.field("timeUnixNano")))
    names = pc.fill_null(found.field("name"), "")
    return _lists(lists, [at, names, _attributes_json(found)], EVENT)


def links(lists: pa.ListArray) -> pa.ListArray:
    """Each span's links, their attributes as JSON text."""
    found = lists.values
    linked = [ids.hex_text(found.field(name)) for name in ("traceId", "spanId")]
    return _lists(lists, [*linked, _attributes_json(found)], LINK)


def exception_types(lists: pa.ListArray) -> pa.StringArray:
    """The type of each span's last exception event, NULL where it has none."""
    last = np.full(len(lists), -1, np.int64)
    found = lists.values
    if len(found) == 0:
        return pa.nulls(len(lists), TEXT)
    carried = attributes(found.field("attributes"))
    thrown = pc.fill_null(pc.equal(found.field("name"), "exception"), False).to_numpy(zero_copy_only=False)
    event_of, entries = carried.owners(), carried.with_key("exception.type")
    entries = entries[thrown[event_of[entries]]]
    last[repeated(lists.offsets.to_numpy())[event_of[entries]]] = entries
    return filled(carried.text.take(pa.array(last, mask=last < 0)))


def _attributes_json(owners: pa.StructArray) -> pa.StringArray:
    carried = attributes(owners.field("attributes"))
    return json_text.objects(carried.offsets, carried.keys(), carried.as_json())


def _lists(lists: pa.ListArray, columns: list[pa.Array], kind: pa.StructType) -> pa.ListArray:
    offsets = pa.array(lists.offsets.to_numpy())
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(columns, fields=list(kind)))
