"""Events that workers posted to the receiver → pages for the inbox, from the segments that they wait in.

They wait apart from the inbox so that a storm is collapsed before it is landed. A segment that is
finished and read is kept compressed: what was posted stays as it was posted.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import zstandard

from flywheel_assets.sources.bus_pages import Document, pages
from flywheel_assets.sources.cursor import Page, State
from flywheel_assets.sources.framing import records
from flywheel_assets.sources.segments import is_finished, sync

EVENTS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class EventSpool:
    """`folder` is what the receiver writes; read segments go to `kept`."""

    folder: Path
    kept: Path
    name: str = field(default="system_bus", init=False)

    def poll(self, cursor: State) -> Iterator[Page]:
        """Whole lines behind the cursor, which has the bytes that were read of each segment that is there."""
        segments = sorted(self.folder.glob("[!.]*.jsonl")) if self.folder.is_dir() else []
        read = {path.name: _offset(cursor.get(path.name)) for path in segments}
        for path in segments:
            finished = is_finished(path)
            data = path.read_bytes()
            while lines := (found := records(data, "lines", read[path.name], EVENTS_AT_ONCE)).ranges:
                before = dict(read)
                read[path.name] = found.end
                documents = [_decoded(data[start : start + length]) for start, length in lines]
                yield from pages(documents, before, dict(read), f"{path.name}, after byte {before[path.name]}: event")
            if finished:
                self._keep(path, data)
                del read[path.name]
                yield Page(dict(read))

    def _keep(self, path: Path, data: bytes) -> None:
        self.kept.mkdir(parents=True, exist_ok=True)
        target, hidden = self.kept / f"{path.name}.zst", self.kept / f".{path.name}.zst"
        with hidden.open("wb") as written:
            written.write(zstandard.compress(data))
            written.flush()
            os.fsync(written.fileno())
        hidden.replace(target)
        sync(self.kept)
        path.unlink()


def _decoded(line: bytes) -> Document:
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"line": line.decode(errors="replace")}


def _offset(kept: object) -> int:
    return kept if isinstance(kept, int) else 0
