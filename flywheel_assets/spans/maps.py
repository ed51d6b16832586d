"""The untouched attributes: one map per type of value."""

import numpy as np
import pyarrow as pa

from flywheel_assets.spans.requests import Attributes
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.table import TEXT

KEY = pa.dictionary(pa.int32(), TEXT)


def _coded(column: pa.Field) -> pa.Field:
    return column.with_type(pa.map_(KEY, column.type.item_type)) if pa.types.is_map(column.type) else column


# Rows as they are decoded: keys of attributes are few and often equal, and stay codes until they are read back.
SCHEMA = pa.schema([_coded(column) for column in RAW_SPANS.schema])


def maps(attributes: Attributes) -> dict[str, pa.MapArray]:
    """`attr_text` … `attr_json` of the spans that own the attributes."""
    by_type = {
        "attr_text": attributes.text,
        "attr_int": attributes.integer,
        "attr_double": attributes.real,
        "attr_bool": attributes.flag,
        "attr_json": attributes.deep,
    }
    return {name: _map(attributes, values, SCHEMA.field(name).type) for name, values in by_type.items()}


def _map(attributes: Attributes, values: pa.Array, kind: pa.MapType) -> pa.MapArray:
    owners = len(attributes.offsets) - 1
    if values.null_count == len(values):
        offsets = np.zeros(owners + 1, np.int32)
        return pa.MapArray.from_arrays(offsets, pa.array([], kind.key_type), pa.array([], kind.item_type), type=kind)
    present = values.is_valid()
    chosen = present.to_numpy(zero_copy_only=False)
    items = _texts(values, chosen) if pa.types.is_string(values.type) else values.drop_null()
    keys = attributes.key.filter(present)
    if len(keys) < len(keys.dictionary):
        keys = keys.cast(TEXT).dictionary_encode()
    return pa.MapArray.from_arrays(pa.array(attributes.offsets_of(chosen)), keys, items, type=kind)


def _texts(values: pa.StringArray, chosen: np.ndarray) -> pa.StringArray:
    """The chosen texts over the same bytes: a NULL between them takes no room, so nothing is copied."""
    _, offsets, data = values.buffers()
    starts = np.frombuffer(offsets, np.int32, len(values) + 1, values.offset * 4)
    kept = np.append(starts[:-1][chosen], starts[-1])
    if data is None or (kept[1:] != starts[1:][chosen]).any():
        return values.drop_null()
    return pa.StringArray.from_buffers(len(kept) - 1, pa.py_buffer(kept), data)
