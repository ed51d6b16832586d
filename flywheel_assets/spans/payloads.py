"""A chunk of landed payloads → rows, each by the fastest reader that can hold it.

Where a reader refuses a group, the group is halved until the payload that it minds stands alone.
That one is rewritten (JSON) or reported as unreadable, so one bad payload costs only itself.
"""

import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Protocol

import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError

from flywheel_assets.spans import ids, otlp_json, wire
from flywheel_assets.spans.requests import flatten
from flywheel_assets.spans.rewrite import as_protobuf
from flywheel_assets.spans.rows import rows
from flywheel_assets.tables.table import TEXT

REFUSED = (ValueError, DecodeError)


class Batch(Protocol):
    """One export request, as landed; `format` is 'protobuf' or 'json'."""

    @property
    def batch_id(self) -> str:
        """Names the batch: equal ids, equal bytes."""
        ...

    @property
    def format(self) -> str:
        """Which of OTLP's two forms the payload has."""
        ...

    @property
    def payload(self) -> bytes | memoryview:
        """The export request."""
        ...


@dataclass(frozen=True, slots=True)
class Wire:
    """A batch in protobuf, as landed or rewritten."""

    batch_id: str
    payload: bytes
    format: str = "protobuf"


@dataclass(slots=True)
class Read:
    """What a chunk held: rows of any day, and batches that no reader takes, with the reason."""

    rows: list[pa.RecordBatch] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def read_rows(batches: Sequence[Batch], day: date) -> Read:
    """All spans of the batches as `raw_spans` rows (with `day`, which is right for spans of that day alone)."""
    read, wired = Read(), [batch for batch in batches if batch.format == "protobuf"]
    groups: dict[otlp_json.Variant | None, list[Batch]] = {}
    for batch in batches:
        if batch.format != "protobuf":
            groups.setdefault(otlp_json.variant(batch.payload), []).append(batch)
    for chosen, group in groups.items():
        reader = None if chosen is None else partial(otlp_json.read_requests, chosen=chosen)
        refused = [(batch, "") for batch in group] if reader is None else _read(group, reader, day, read)
        wired += [found for batch, _ in refused if (found := _rewritten(batch, read))]
    read.unreadable += [(batch.batch_id, reason) for batch, reason in _read(wired, wire.read_requests, day, read)]
    return read


def _read(
    batches: Sequence[Batch],
    reader: Callable[[Sequence[bytes | memoryview]], pa.ListArray],
    day: date,
    read: Read,
) -> list[tuple[Batch, str]]:
    """Add the rows of all batches that the reader takes; the others are returned, with the reason."""
    refused: list[tuple[Batch, str]] = []
    groups = [list(batches)] if batches else []
    while groups:
        group = groups.pop()
        try:
            spans = flatten(reader([batch.payload for batch in group]))
            if len(spans):
                read.rows.append(rows(spans, pa.array([batch.batch_id for batch in group], TEXT), day))
        except REFUSED as error:
            middle = len(group) // 2
            if middle:
                groups += [group[middle:], group[:middle]]
            else:
                refused.append((group[0], str(error)))
    return refused


def _rewritten(batch: Batch, read: Read) -> Wire | None:
    try:
        return Wire(batch.batch_id, as_protobuf(bytes(batch.payload)))
    except REFUSED as error:
        read.unreadable.append((batch.batch_id, str(error)))
        return None


def span_ids(batches: Sequence[Batch]) -> np.ndarray:
    """Span ids as numbers: all that the batches hold, and perhaps some that only links name."""
    wired = [found for batch in batches if batch.format == "protobuf" for found in _wired(batch)]
    texts = [text for batch in batches if batch.format != "protobuf" for text in otlp_json.span_ids(batch.payload)]
    told = np.frombuffer(binascii.unhexlify(b"".join(texts)), ">u8").astype(np.uint64)
    return np.concatenate([told, ids.numbers(pa.concat_arrays(wired))]) if wired else told


def _wired(batch: Batch) -> list[pa.BinaryArray]:
    try:
        return [wire.read_span_ids(batch.payload)]
    except ValueError:
        return []
