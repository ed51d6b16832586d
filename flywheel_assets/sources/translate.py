"""A file in a foreign form → OTLP and feedback segments in the inbox, each piece a line."""

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Self

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from flywheel_assets.sources.foreign import Foreign, Piece, Record, Refused, recognise
from flywheel_assets.sources.framing import Buffer
from flywheel_assets.sources.open_file import Content
from flywheel_assets.sources.segments import SegmentName
from flywheel_assets.tables.documents.feedback import PostedFeedback
from flywheel_assets.tables.documents.queue import MARK

# A session's first lines can be notes of the agent's own; further in than this nothing new comes.
LOOKED_AT = 64
PARQUET = b"PAR1"
_BOM = b"\xef\xbb\xbf"
_ROWS = 256


@dataclass(slots=True)
class Translated:
    """What a file of the form `form` held."""

    form: str
    requests: int = 0
    feedback: int = 0
    set_aside: int = 0
    bytes: int = 0
    reasons: dict[str, int] = field(default_factory=dict[str, int])


def translate(source: Path, content: Content, inbox: Path, *, keep_content: bool) -> Translated | None:
    """Write what the file says into the inbox; None where its form is not known.

    What cannot be read becomes a line that landing sets aside with the reason. The same file gives the
    same bytes, so that it lands once.
    """
    read = records(content.data)
    first = list(islice(read, LOOKED_AT))
    form = recognise([record.value for record in first if record.fault is None])
    if form is None:
        return None
    done = Translated(form.name)
    every = chain(first, read)
    if form.dated:
        written = datetime.fromtimestamp(source.stat().st_mtime, UTC)
        every = (replace(record, at=written) for record in every)
    found = form.read(every, keep_content)
    with _Segments(source, inbox, form, keep_content=keep_content) as segments:
        for piece in found:
            done.bytes += segments.write(piece)
            done.requests += isinstance(piece, bytes)
            done.feedback += isinstance(piece, PostedFeedback)
            if isinstance(piece, Refused):
                done.set_aside += 1
                done.reasons[piece.reason] = done.reasons.get(piece.reason, 0) + 1
    return done


class _Segments:
    """The inbox files that a source's pieces go to; visible once all of them are written."""

    def __init__(self, source: Path, inbox: Path, form: Foreign, *, keep_content: bool) -> None:
        status = source.stat()
        identity = f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{form.name}:{keep_content}".encode()
        token, at = hashlib.sha256(identity).hexdigest()[:16], datetime.fromtimestamp(status.st_mtime, UTC)
        self._names = {
            suffix: inbox / str(SegmentName(form.name, at, token, suffix)) for suffix in (".jsonl", ".feedback.jsonl")
        }
        self._hidden = {suffix: path.with_name(f".{path.name}") for suffix, path in self._names.items()}

    def __enter__(self) -> Self:
        self._open = {suffix: path.open("wb") for suffix, path in self._hidden.items()}
        return self

    def write(self, piece: Piece) -> int:
        """Add one line; returns its bytes."""
        said = isinstance(piece, PostedFeedback)
        line = piece.line if isinstance(piece, Refused) else piece.model_dump_json().encode() if said else piece
        return self._open[".feedback.jsonl" if said else ".jsonl"].write(line + b"\n")  # pyright: ignore[reportOperatorIssue]

    def __exit__(self, kind: object, *_: object) -> None:
        for suffix, opened in self._open.items():
            written = opened.tell()
            opened.close()
            if kind is None and written:
                self._hidden[suffix].rename(self._names[suffix])
            else:
                self._hidden[suffix].unlink()


def records(data: Buffer) -> Iterator[Record]:
    """The JSON values of a file in order: of a document one, of lines one a line, of Parquet one a row."""
    if data[:4] == PARQUET:
        yield from _rows(data)
        return
    head = data[: 64 * 1024].removeprefix(_BOM).lstrip()
    first, _, _ = head.partition(b"\n")
    if first.removeprefix(b'"').startswith(MARK.encode()):
        yield from _table(data)
        return
    if head[:1] == b"[" or (head[:1] == b"{" and first.rstrip()[-1:] in (b"{", b"[", b",")):
        yield _decoded("the document", data[:].removeprefix(_BOM))
        return
    if head[:1] == b"{":
        yield from _lines(data)


def _table(data: Buffer) -> Iterator[Record]:
    """Rows of a CSV whose first column says what it is, with whatever separator a spreadsheet wrote."""
    raw = data[:].removeprefix(_BOM)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    between = text.lstrip('"').removeprefix(MARK).lstrip('"')[:1]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=between if between in (";", "\t") else ",")
    try:
        for row in rows:
            if None in row:
                yield Record(f"line {rows.line_num}", fault="more cells than columns", value=row.pop(None, None))
                continue
            yield Record(f"line {rows.line_num}", row)
    except csv.Error as error:
        yield Record(f"line {rows.line_num}", fault=f"not CSV: {error}")


def _lines(data: Buffer) -> Iterator[Record]:
    position, number = 0, 0
    while position < len(data):
        feed = data.find(b"\n", position)
        stop = len(data) if feed < 0 else feed
        number += 1
        line = data[position:stop].removeprefix(_BOM).strip()
        if line:
            yield _decoded(f"line {number}", line)
        position = stop + 1


def _decoded(where: str, text: bytes) -> Record:
    try:
        return Record(where, msgspec.json.decode(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Record(where, fault=f"not JSON: {error}")


def _rows(data: Buffer) -> Iterator[Record]:
    try:
        opened = pq.ParquetFile(pa.BufferReader(pa.py_buffer(data)))
        number = 0
        for batch in opened.iter_batches(_ROWS):
            for row in batch.to_pylist():
                number += 1
                yield Record(f"row {number}", row)
    except (pa.ArrowException, OSError) as error:
        yield Record("the file", fault=f"Parquet that cannot be read: {error}")
