"""OTLP's protobuf form → nested Arrow, through `ptars`.

The messages are declared here under OTLP's field numbers and OTLP/JSON's names. AnyValue is
recursive, which Arrow cannot be: its `arrayValue` and `kvlistValue` are declared as bytes, which
have the same wire type, and are decoded apart (`deep.py`).
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from ptars import HandlerPool
from ptars._lib import MessageHandler

SCALARS = {
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "fixed32": FieldDescriptorProto.TYPE_FIXED32,
    "fixed64": FieldDescriptorProto.TYPE_FIXED64,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "string": FieldDescriptorProto.TYPE_STRING,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
}
KINDS = {
    1: "string stringValue",
    2: "bool boolValue",
    3: "int64 intValue",
    4: "double doubleValue",
    5: "bytes arrayValue",
    6: "bytes kvlistValue",
    7: "bytes bytesValue",
}
# Message → field number → "type name", with "*" before a repeated field's type.
MESSAGES: dict[str, dict[int, str]] = {
    "KeyValue": {1: "string key", 2: "AnyValue value"},
    "Resource": {1: "*KeyValue attributes"},
    "Scope": {1: "string name", 2: "string version", 3: "*KeyValue attributes"},
    "Event": {1: "fixed64 timeUnixNano", 2: "string name", 3: "*KeyValue attributes"},
    "Link": {1: "bytes traceId", 2: "bytes spanId", 4: "*KeyValue attributes"},
    "Status": {2: "string message", 3: "int32 code"},
    "Span": {
        1: "bytes traceId",
        2: "bytes spanId",
        3: "string traceState",
        4: "bytes parentSpanId",
        5: "string name",
        6: "int32 kind",
        7: "fixed64 startTimeUnixNano",
        8: "fixed64 endTimeUnixNano",
        9: "*KeyValue attributes",
        10: "uint32 droppedAttributesCount",
        11: "*Event events",
        12: "uint32 droppedEventsCount",
        13: "*Link links",
        14: "uint32 droppedLinksCount",
        15: "Status status",
        16: "fixed32 flags",
    },
    "ScopeSpans": {1: "Scope scope", 2: "*Span spans"},
    "ResourceSpans": {1: "Resource resource", 2: "*ScopeSpans scopeSpans"},
    "Request": {1: "*ResourceSpans resourceSpans"},
    # Only the span ids: five times as fast.
    "IdSpan": {2: "bytes spanId"},
    "IdScopeSpans": {2: "*IdSpan spans"},
    "IdResourceSpans": {2: "*IdScopeSpans scopeSpans"},
    "IdRequest": {1: "*IdResourceSpans resourceSpans"},
}


def read_requests(payloads: Sequence[bytes | memoryview]) -> pa.ListArray:
    """`resourceSpans` of each export request. Raises ValueError where one is not OTLP."""
    return _handler("Request").array_to_record_batch(_joined(payloads)).column(0)


def read_span_ids(payload: bytes | memoryview) -> pa.BinaryArray:
    """The ids of all spans of the request. Raises ValueError where it is not OTLP."""
    # Over the payload's own bytes: copying them takes as long as reading the ids.
    offsets = pa.py_buffer(np.array([0, len(payload)], np.int32))
    given = pa.BinaryArray.from_buffers(pa.binary(), 1, [None, offsets, pa.py_buffer(payload)])
    read = _handler("IdRequest").array_to_record_batch(given).column(0)
    return read.values.field("scopeSpans").values.field("spans").values.field("spanId")


def _joined(payloads: Sequence[bytes | memoryview]) -> pa.BinaryArray:
    # Arrow, given a list, copies item by item into memory that it takes anew as it grows: as long as reading.
    offsets = np.zeros(len(payloads) + 1, np.int32)
    np.cumsum([len(one) for one in payloads], out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(payloads))]
    return pa.BinaryArray.from_buffers(pa.binary(), len(payloads), buffers)


@cache
def _handler(message: str) -> MessageHandler:
    described = _file()
    return HandlerPool([described]).get_for_message(described.message_types_by_name[message])


@cache
def _file() -> FileDescriptor:
    described = FileDescriptorProto(name="flywheel_otlp.proto", package="flywheel_otlp", syntax="proto3")
    any_value = described.message_type.add(name="AnyValue")
    any_value.oneof_decl.add(name="value")
    for number, declared in KINDS.items():
        _add(any_value, number, declared).oneof_index = 0
    for name, fields in MESSAGES.items():
        message = described.message_type.add(name=name)
        for number, declared in fields.items():
            _add(message, number, declared)
    pool = DescriptorPool()
    pool.Add(described)
    return pool.FindFileByName(described.name)


def _add(message: DescriptorProto, number: int, declared: str) -> FieldDescriptorProto:
    kind, name = declared.removeprefix("*").split()
    label = FieldDescriptorProto.LABEL_REPEATED if declared.startswith("*") else FieldDescriptorProto.LABEL_OPTIONAL
    added = message.field.add(name=name, number=number, label=label)
    if kind in SCALARS:
        added.type = SCALARS[kind]
    else:
        added.type, added.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".flywheel_otlp.{kind}"
    return added
