"""A landing file's content as one mapped buffer, decompressed where its bytes are compressed."""

import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flywheel_assets.sources.compression import expand, suffix_of
from flywheel_assets.sources.framing import HEAD, Buffer, Kind, kind_of


@dataclass(frozen=True, slots=True)
class Content:
    """What a landing file holds; `kind` is None while there is too little to tell.

    `damage` says why a compressed file cannot be decompressed any further; not `whole`: it ends early.
    """

    data: Buffer
    kind: Kind | None
    whole: bool = True
    damage: str | None = None

    def let_go(self) -> None:
        """Stop counting the pages read so far as this process's memory; they are read again on demand."""
        if isinstance(self.data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            self.data.madvise(mmap.MADV_DONTNEED)


def open_content(path: Path, scratch: Path) -> Content:
    """Map the file; a compressed one is first expanded into an unnamed file under `scratch`."""
    with path.open("rb") as packed:
        suffix = suffix_of(packed.read(4))
        if not suffix:
            data = _map(packed)
            return Content(data, kind_of(data[:HEAD]))
    expanded = expand(path, suffix, scratch)
    with expanded.plain as plain:
        data = _map(plain)
    return Content(data, kind_of(data[:HEAD]), expanded.whole, expanded.damage)


def _map(opened: IO[bytes]) -> Buffer:
    # An empty file cannot be mapped.
    if not os.fstat(opened.fileno()).st_size:
        return b""
    return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
