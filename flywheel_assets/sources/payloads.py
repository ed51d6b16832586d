"""Payloads out of landing files, by where the index says they are."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from flywheel_assets.sources.compression import unwrap
from flywheel_assets.sources.open_file import Content, open_content

_LET_GO_EVERY = 64 * 1024 * 1024


class Place(NamedTuple):
    """Where a batch lies: columns of landed_batches."""

    file: str
    offset: int
    length: int


class LandingFileCutError(Exception):
    """A landing file lost bytes that the index names."""


def read_payloads(landing: Path, places: Iterable[Place]) -> Iterator[bytes | memoryview]:
    """The batches in order, not copied; files stay mapped one at a time, so order them by file.

    Raises LandingFileCutError, FileNotFoundError.
    """
    opened: tuple[str, Content] | None = None
    read = 0
    for place in places:
        if opened is None or opened[0] != place.file:
            opened = place.file, open_content(landing / place.file, landing)
        raw = memoryview(opened[1].data)[place.offset : place.offset + place.length]
        if len(raw) < place.length:
            raise LandingFileCutError(f"{landing / place.file} is shorter than its index: restore it from a backup")
        yield unwrap(raw)
        read += place.length
        if read > _LET_GO_EVERY:
            opened[1].let_go()
            read = 0
