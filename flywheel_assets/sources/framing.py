"""How batches follow one another in a file: told from the file's content, whoever wrote it.

The forms are those of the OpenTelemetry Collector's file exporter — `frames`: each batch after its
length in four big-endian bytes (protobuf, or JSON when zstd-compressed batch by batch); `lines`:
one JSON batch per line — and two that people have lying about: `document`, one JSON batch over many
lines, and `message`, one bare protobuf batch.
"""

import mmap
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Kind = Literal["frames", "lines", "document", "message", "unknown"]
Buffer = bytes | mmap.mmap

# No exporter sends batches this large; a length beyond it means that the file is damaged.
MAX_BATCH = 256 * 1024 * 1024
HEAD = 64 * 1024
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_ANY_JSON = msgspec.json.Decoder(msgspec.Raw)


@dataclass(slots=True)
class Records:
    """Complete batches as (offset, length); bytes from `end` on are not complete, or `broken` for good."""

    ranges: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    end: int = 0
    broken: bool = False


def kind_of(head: bytes) -> Kind | None:
    """The form of a file that starts with `head` (64 KB, or all there is); None: too little to tell."""
    text = head.removeprefix(_BOM).lstrip(_BLANK)
    if not text:
        return None
    # A protobuf message starts with byte 10, which is also a line feed.
    if head[0] == 0x0A and text[:2] not in (b'{"', b"{}"):
        return "message"
    if text[0] == ord("{"):
        first, _, _ = text.partition(b"\n")
        return "document" if first.rstrip()[-1:] in (b"{", b"[", b",") else "lines"
    if len(head) < 4:
        return None
    return "frames" if int.from_bytes(head[:4], "big") <= MAX_BATCH else "unknown"


def records(data: Buffer, kind: Kind, start: int, limit: int) -> Records:
    """Up to `limit` complete batches of `data` from `start` on, which lies between two batches."""
    if kind == "frames":
        return _frames(data, start, limit)
    if kind == "lines":
        return _lines(data, start, limit)
    if kind == "unknown":
        return Records(end=start, broken=start < len(data))
    return _single(data, kind, start)


def _frames(data: Buffer, start: int, limit: int) -> Records:
    found = Records(end=start)
    size = len(data)
    while found.end + 4 <= size and len(found.ranges) < limit:
        length = int.from_bytes(data[found.end : found.end + 4], "big")
        if length > MAX_BATCH:
            found.broken = True
            break
        if found.end + 4 + length > size:
            break
        # Nothing is in an empty batch; zeros are also what a crash can leave behind unsynced data.
        if length:
            found.ranges.append((found.end + 4, length))
        found.end += 4 + length
    return found


def _lines(data: Buffer, start: int, limit: int) -> Records:
    found = Records(end=start)
    size = len(data)
    while found.end < size and len(found.ranges) < limit:
        feed = data.find(b"\n", found.end)
        stop = size if feed < 0 else feed
        line = data[found.end : stop]
        # An object cannot be the beginning of a longer object: complete even before its line feed.
        if feed < 0 and not is_json(line.strip(_BLANK)):
            break
        text = line.removeprefix(_BOM).lstrip(_BLANK)
        if text:
            found.ranges.append((stop - len(text), len(text.rstrip(_BLANK))))
        found.end = stop if feed < 0 else feed + 1
    return found


def _single(data: Buffer, kind: Kind, start: int) -> Records:
    rest = data[start:]
    if kind == "document":
        text = rest.removeprefix(_BOM).lstrip(_BLANK)
        offset, length = len(data) - len(text), len(text.rstrip(_BLANK))
        complete = is_json(text[:length])
    else:
        offset, length = start, len(rest)
        complete = is_request(rest)
    if not complete or not length:
        return Records(end=start)
    return Records([(offset, length)], end=len(data))


def is_json(text: bytes) -> bool:
    """Whether the bytes are one complete JSON value."""
    try:
        _ANY_JSON.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def is_request(payload: bytes) -> bool:
    """Whether the bytes are an OTLP trace export request in protobuf."""
    try:
        ExportTraceServiceRequest.FromString(payload)
    except DecodeError:
        return False
    return True
