"""Compressed files and compressed batches, decompressed as far as they are complete."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Protocol

import zstandard

from flywheel_assets.sources.framing import MAX_BATCH

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
# What comes together with the damage is lost with it.
_CHUNK = 64 * 1024


class DamagedError(Exception):
    """Compressed bytes that cannot be decompressed."""


def suffix_of(head: bytes) -> str:
    """'.gz' or '.zst' where the bytes are compressed so, else ''."""
    return ".gz" if head.startswith(_GZIP) else ".zst" if head.startswith(_ZSTD) else ""


@dataclass(frozen=True, slots=True)
class Expanded:
    """The decompressed content in an unnamed file; `damage` says what is wrong with the rest.

    Not `whole`: it ends in the middle of a compressed frame, whose writer may still be at work.
    """

    plain: IO[bytes]
    whole: bool = True
    damage: str | None = None


def expand(path: Path, suffix: str, folder: Path) -> Expanded:
    """Decompress the file into an unnamed one under `folder`, which the caller closes."""
    plain = TemporaryFile(dir=folder)  # noqa: SIM115 - the caller reads it
    with path.open("rb") as packed:
        frames = _Frames(suffix)
        try:
            while chunk := packed.read(_CHUNK):
                for piece in frames.decompress(chunk):
                    plain.write(piece)
        except (zlib.error, zstandard.ZstdError) as error:
            plain.flush()
            return Expanded(plain, damage=str(error))
    plain.flush()
    return Expanded(plain, whole=frames.ended)


def unwrap(payload: bytes | memoryview) -> bytes | memoryview:
    """A batch without the zstd frame that the Collector's file exporter can put around each.

    Neither protobuf requests nor JSON start with a zstd frame's first four bytes.
    """
    if payload[:4] != _ZSTD:
        return payload
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in zstandard.ZstdDecompressor().read_to_iter(payload):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BATCH:
                raise DamagedError(f"decompresses to more than {MAX_BATCH} bytes; export smaller batches")
    except zstandard.ZstdError as error:
        raise DamagedError(f"zstd: {error}") from error
    return b"".join(pieces)


class _Frame(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class _Frames:
    """Gzip members or zstd frames, one after another; zeros between them are padding."""

    def __init__(self, suffix: str) -> None:
        self._gzip = suffix == ".gz"
        self._frame = self._new()
        self.ended = False

    def decompress(self, chunk: bytes) -> Iterator[bytes]:
        """What the next compressed bytes stand for. Raises zlib.error, zstandard.ZstdError."""
        while chunk:
            if self.ended:
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    return
                self._frame = self._new()
            yield self._frame.decompress(chunk)
            self.ended = self._frame.eof
            chunk = self._frame.unused_data if self.ended else b""

    def _new(self) -> _Frame:
        return zlib.decompressobj(wbits=31) if self._gzip else zstandard.ZstdDecompressor().decompressobj()
