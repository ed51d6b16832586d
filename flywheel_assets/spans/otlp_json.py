"""OTLP/JSON → nested Arrow, through `pyarrow.json` with an explicit schema.

Emitters differ in what they quote (64-bit numbers) and in enums (number or name), so the schema is
chosen per payload by its first such value. What the schema cannot hold (maps, arrays in arrays,
snake_case) is not lost: reading raises, and the payload is rewritten as protobuf (`rewrite.py`).
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import re
from collections.abc import Sequence
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.json import ParseOptions, ReadOptions, read_json

TEXT = pa.string()
COUNTS = ("droppedAttributesCount", "droppedEventsCount", "droppedLinksCount", "flags")
# What decides the schema: the attributes whose first value is looked at, quoted or not.
QUOTABLE = ("intValue", "UnixNano", "kind", "code")
FIRST_VALUE = {
    name: re.compile(rb'%s"\s*:\s*(")?' % (name if name == "UnixNano" else f'"{name}').encode()) for name in QUOTABLE
}
# Who sends maps sends them often, so a glance spares most of them the reader that would refuse them.
GLANCE = 65_536
SPAN_ID = re.compile(rb'"span_?[iI]d"\s*:\s*"([0-9a-fA-F]{16})"')

Variant = tuple[bool, ...]


def variant(payload: bytes | memoryview) -> Variant | None:
    """Which of `QUOTABLE` the payload quotes, and whether it spans lines; None: not for this reader."""
    text = bytes(payload)
    if text.find(b"kvlistValue", 0, GLANCE) >= 0 or b'"resourceSpans"' not in text:
        return None
    found = (pattern.search(text) for pattern in FIRST_VALUE.values())
    return (*(bool(match and match.group(1)) for match in found), text.find(b"\n", 0, len(text) - 2) >= 0)


def read_requests(payloads: Sequence[bytes | memoryview], chosen: Variant) -> pa.ListArray:
    """`resourceSpans` of each request. Raises ValueError where one does not fit the schema wholly."""
    joined = b"\n".join(payloads)
    if not joined.isascii():
        joined.decode()  # the reader would let bytes pass that are not UTF-8
    table = read_json(
        pa.BufferReader(joined),
        read_options=ReadOptions(use_threads=False, block_size=len(joined) + 1),
        parse_options=ParseOptions(
            explicit_schema=_schema(chosen), newlines_in_values=chosen[-1], unexpected_field_behavior="ignore"
        ),
    )
    if len(table) != len(payloads):
        message = f"{len(payloads)} payloads hold {len(table)} documents"
        raise ValueError(message)
    return table.column(0).combine_chunks()


def check(entries: pa.StructArray) -> None:
    """Raise ValueError unless each attribute has a key and a value of a kind that the schema knows."""
    value = entries.field("value")
    known = [value.field(number).is_valid() for number in range(value.type.num_fields)]
    told = known[0]
    for one in known[1:]:
        told = pc.or_(told, one)
    if entries.field("key").null_count or not pc.all(told, min_count=0).as_py():
        message = "an attribute has no key, or a value of another kind"
        raise ValueError(message)


def span_ids(payload: bytes | memoryview) -> list[bytes]:
    """Hex of every id that may be a span's: at least all spans', links' too."""
    return SPAN_ID.findall(payload)


@cache
def _schema(chosen: Variant) -> pa.Schema:
    quoted = dict(zip(QUOTABLE, chosen, strict=False))
    whole, time = (TEXT if quoted[name] else pa.int64() for name in ("intValue", "UnixNano"))
    kind, code = (TEXT if quoted[name] else pa.int32() for name in ("kind", "code"))
    scalars = [("stringValue", TEXT), ("boolValue", pa.bool_()), ("intValue", whole), ("doubleValue", pa.float64())]
    array = pa.struct([("values", pa.list_(pa.struct(scalars)))])
    value = pa.struct([*scalars, ("bytesValue", TEXT), ("arrayValue", array)])
    attributes = ("attributes", pa.list_(pa.struct([("key", TEXT), ("value", value)])))
    span = pa.struct(
        [
            ("traceId", TEXT),
            ("spanId", TEXT),
            ("parentSpanId", TEXT),
            ("name", TEXT),
            ("kind", kind),
            ("startTimeUnixNano", time),
            ("endTimeUnixNano", time),
            attributes,
            ("events", pa.list_(pa.struct([("timeUnixNano", time), ("name", TEXT), attributes]))),
            ("links", pa.list_(pa.struct([("traceId", TEXT), ("spanId", TEXT), attributes]))),
            ("status", pa.struct([("code", code), ("message", TEXT)])),
            ("traceState", TEXT),
            *((name, pa.int64()) for name in COUNTS),
        ]
    )
    scope = pa.struct([("name", TEXT), ("version", TEXT), attributes])
    scope_spans = pa.list_(pa.struct([("scope", scope), ("spans", pa.list_(span))]))
    resource = pa.struct([attributes])
    return pa.schema([("resourceSpans", pa.list_(pa.struct([("resource", resource), ("scopeSpans", scope_spans)])))])
