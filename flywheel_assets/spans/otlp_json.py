"""OTLP/JSON → nested Arrow, through Rust's arrow-json with an explicit schema.

Emitters differ in what they quote (64-bit numbers) and in enums (number or name), so the schema is
chosen per payload by its first such value. What the schema cannot hold (maps, arrays in arrays,
snake_case) is not lost: reading raises, and the payload is rewritten as protobuf (`rewrite.py`).
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import io
import re
from collections.abc import Iterator, Sequence
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
from arro3.io import read_json

TEXT = pa.string()
COUNTS = ("droppedAttributesCount", "droppedEventsCount", "droppedLinksCount", "flags")
# What decides the schema: the attributes whose first value is looked at, quoted or not.
QUOTABLE = ("intValue", "UnixNano", "kind", "code")
FIRST_VALUE = {
    name: re.compile(rb'%s"\s*:\s*(")?' % (name if name == "UnixNano" else f'"{name}').encode()) for name in QUOTABLE
}
# Unquoted, the reader would cut the fraction off a number that its column cannot hold.
FRACTION = re.compile(rb'(?:intValue|UnixNano)"\s*:\s*-?\d+[.eE]')
# The reader ends the process when what it refuses holds a NUL, which its message cannot.
NUL = b"\\u0000"
# Who sends maps sends them often, so a glance spares most of them the reader that would refuse them.
GLANCE = 65_536
# What the reader works with, and hands out, it takes from the system and gives back to it: little at a time is
# taken again from the allocator and stays in the processor's cache, much is not and costs half as much again.
TOGETHER = 2**20
SPAN_ID = re.compile(rb'"span_?[iI]d"\s*:\s*"([0-9a-fA-F]{16})"')

Variant = tuple[bool, ...]


def variant(payload: bytes | memoryview) -> Variant | None:
    """Which of `QUOTABLE` the payload quotes; None: not for this reader."""
    text = bytes(payload)
    if text.find(b"kvlistValue", 0, GLANCE) >= 0 or b'"resourceSpans"' not in text:
        return None
    # From the end: twice as fast, because a backslash is rarer than a 0.
    if b"\0" in text or text.rfind(NUL) >= 0:
        return None
    found = (pattern.search(text) for pattern in FIRST_VALUE.values())
    quoted = tuple(bool(match and match.group(1)) for match in found)
    return quoted if all(quoted[:2]) or not FRACTION.search(text) else None


def read_requests(payloads: Sequence[bytes | memoryview], chosen: Variant) -> pa.ListArray:
    """`resourceSpans` of each request. Raises ValueError where one does not fit the schema wholly."""
    return pa.concat_arrays([_read(some, chosen) for some in _groups(payloads)])


def _groups(payloads: Sequence[bytes | memoryview]) -> Iterator[list[bytes | memoryview]]:
    """All payloads in order, about TOGETHER bytes at a time."""
    group: list[bytes | memoryview] = []
    size = 0
    for payload in payloads:
        group.append(payload)
        size += len(payload)
        if size >= TOGETHER:
            yield group
            group, size = [], 0
    if group:
        yield group


def _read(payloads: Sequence[bytes | memoryview], chosen: Variant) -> pa.ListArray:
    joined = io.BytesIO(b"\n".join(payloads))
    try:
        batches = [pa.record_batch(one) for one in read_json(joined, _schema(chosen), batch_size=len(payloads) + 1)]
    except Exception as refused:  # arro3 raises nothing more specific
        raise ValueError(refused) from refused
    if sum(map(len, batches)) != len(payloads):
        message = f"{len(payloads)} payloads hold another number of documents"
        raise ValueError(message)
    return batches[0].column(0)


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
