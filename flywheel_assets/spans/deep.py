"""Attribute values that are arrays, maps or bytes (or nothing at all): their JSON text.

They are few and often equal (`finish_reasons`), so each different one is decoded once. Arrays keep
their order, bytes become base64 text, as in OTLP/JSON.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import base64

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList

from flywheel_assets.spans import json_text


def of_wire(value: pa.StructArray) -> pa.StringArray:
    """JSON text of protobuf values of the three deep kinds, NULL for all others."""
    found = pa.nulls(len(value), pa.string())
    for name, decode in (("arrayValue", _array), ("kvlistValue", _map), ("bytesValue", _bytes)):
        column = value.field(name)
        if column.null_count < len(column):
            present = column.is_valid()
            encoded = column.filter(present).dictionary_encode()
            texts = [orjson.dumps(decode(one)).decode() for one in encoded.dictionary.to_pylist()]
            found = pc.replace_with_mask(found, present, pa.array(texts, pa.string()).take(encoded.indices))
    return found


def of_json(value: pa.StructArray) -> pa.StringArray:
    """JSON text of arrays of plain values and of bytes, NULL for all others."""
    arrays, plain = value.field("arrayValue"), value.field("bytesValue")
    found = json_text.text(plain) if plain.null_count < len(plain) else pa.nulls(len(value), pa.string())
    if arrays.null_count == len(arrays):
        return found
    present = arrays.is_valid()
    items = arrays.filter(present).field("values")
    inner = items.values
    pieces = pc.coalesce(
        json_text.texts_of_few(inner.field("stringValue")),
        _integers(inner.field("intValue")),
        pc.cast(inner.field("boolValue"), pa.string()),
        json_text.real(inner.field("doubleValue")),
    )
    if pieces.null_count:
        message = "an array holds arrays, maps, bytes or nothing"
        raise ValueError(message)
    texts = json_text.arrays(items.offsets.to_numpy(), pieces)
    return pc.replace_with_mask(found, present, texts)


def _integers(values: pa.Array) -> pa.StringArray:
    # The round trip refuses what is not a whole number of 64 bits.
    return pc.cast(pc.cast(values, pa.int64()), pa.string())


def _array(data: bytes) -> list[object]:
    return [plain(item) for item in ArrayValue.FromString(data).values]


def _map(data: bytes) -> dict[str, object]:
    return {item.key: plain(item.value) for item in KeyValueList.FromString(data).values}


def _bytes(data: bytes) -> str:
    return base64.b64encode(data).decode()


def plain(value: AnyValue) -> object:
    """The value as what `json` reads and writes."""
    match value.WhichOneof("value"):
        case "array_value":
            return [plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return {item.key: plain(item.value) for item in value.kvlist_value.values}
        case "bytes_value":
            return _bytes(value.bytes_value)
        case "double_value":
            # orjson writes a number that is none as null.
            return orjson.loads(json_text.number(value.double_value))
        case None:
            return None
        case kind:
            return getattr(value, kind)
