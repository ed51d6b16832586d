"""Compressed files and compressed batches, decompressed as far as they are complete."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO

import zstandard

from flywheel_assets.sources.framing import MAX_BATCH

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_CHUNK = 1024 * 1024


class DamagedError(Exception):
    """Compressed bytes that cannot be decompressed."""


def suffix_of(head: bytes) -> str:
    """'.gz' or '.zst' where the bytes are compressed so, else ''."""
    return ".gz" if head.startswith(_GZIP) else ".zst" if head.startswith(_ZSTD) else ""


def expand(path: Path, suffix: str, folder: Path) -> tuple[IO[bytes], str | None]:
    """The decompressed content in an unnamed file under `folder`, and what is wrong with the rest.

    A file that ends early is not wrong: its writer may still be at work.
    """
    plain = TemporaryFile(dir=folder)  # noqa: SIM115 - the caller reads it
    with path.open("rb") as packed:
        try:
            for piece in _gunzip(packed) if suffix == ".gz" else _unzstd(packed):
                plain.write(piece)
        except (zlib.error, zstandard.ZstdError) as error:
            plain.flush()
            return plain, str(error)
    plain.flush()
    return plain, None


def unwrap(payload: bytes) -> bytes:
    """A batch without the zstd frame that the Collector's file exporter can put around each.

    Neither protobuf requests nor JSON start with a zstd frame's first four bytes.
    """
    if not payload.startswith(_ZSTD):
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


def _gunzip(packed: BinaryIO) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    while chunk := packed.read(_CHUNK):
        yield inflate.decompress(chunk)
        while inflate.eof and inflate.unused_data.strip(b"\0"):
            rest = inflate.unused_data
            inflate = zlib.decompressobj(wbits=31)
            yield inflate.decompress(rest)


def _unzstd(packed: BinaryIO) -> Iterator[bytes]:
    with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True, closefd=False) as reader:
        while piece := reader.read(_CHUNK):
            yield piece
