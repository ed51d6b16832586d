"""Bring the bytes of inbox files under the landing folder, where they stay whatever their writer does.

Our own segments are only ever appended to: a hard link keeps them. Anybody else's file is copied as
it grows, because a Collector truncates its file when it restarts; a hard link of it is held besides,
so that bytes written between two looks are still there when it has been rotated away and deleted.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flywheel_assets.sources.compression import suffix_of
from flywheel_assets.sources.framing import HEAD, Kind, kind_of, records
from flywheel_assets.sources.segments import FILES, SegmentName, is_feedback, is_finished, sync

_FOREIGN = "files"
_HELD = "held"
SUFFIXES: dict[Kind, str] = {
    "frames": ".binpb",
    "lines": ".jsonl",
    "document": ".json",
    "message": ".pb",
    "unknown": ".bin",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A file now under the landing folder.

    `finished`: nobody adds to it. `whole`: it was somebody's file, so an incomplete end is a loss to
    report; the end of a door's segment was never acknowledged. `inbox_file` may go once it is landed.
    """

    file: str
    source: str
    signal: str
    finished: bool = False
    whole: bool = True
    inbox_file: Path | None = None

    @property
    def compressed(self) -> bool:
        """Whether its bytes have to be expanded first."""
        return self.file.endswith((".gz", ".zst"))


def take(inbox: Path, landing: Path) -> list[Taken]:
    """Link or copy what the inbox holds now; every file under it, hidden ones excepted."""
    found: list[Taken] = []
    seen: dict[int, str] = {}
    for path in _files(inbox):
        # A writer may rename or delete its file at any moment; then it turns up elsewhere, or is held.
        with suppress(FileNotFoundError):
            name = SegmentName.parse(path.name)
            taken = _take_foreign(path, landing, seen) if name is None else _take_own(path, name, landing)
            if taken is not None:
                found.append(taken)
    return found + list(_take_held(landing, seen))


def _files(folder: Path) -> Iterator[Path]:
    for inside, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(inside, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def release(taken: Taken) -> None:
    """Drop the inbox name of a finished file that is landed."""
    if taken.finished and taken.inbox_file is not None:
        taken.inbox_file.unlink(missing_ok=True)


def copy_tail(source: Path, target: Path) -> int:
    """Append to `target` what `source` has beyond it; returns the number of bytes, made durable."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT, 0o640)
    with source.open("rb") as read, os.fdopen(descriptor, "wb") as write:
        done = start = os.fstat(descriptor).st_size
        size = os.fstat(read.fileno()).st_size
        while done < size:
            moved = _copy_some(read.fileno(), write.fileno(), done, size - done)
            if not moved:
                break
            done += moved
        if done > start:
            os.fsync(write.fileno())
    if not start:
        sync(target.parent)
    return done - start


def _copy_some(read: int, write: int, offset: int, count: int) -> int:
    # Inside the kernel, and on some file systems without a second copy on disk; not between all of them.
    with suppress(OSError, AttributeError):
        moved = os.copy_file_range(read, write, count, offset, offset)
        if moved:
            return moved
    return os.pwrite(write, os.pread(read, min(count, 8 * 1024 * 1024), offset), offset)


def _take_own(path: Path, name: SegmentName, landing: Path) -> Taken | None:
    finished = is_finished(path)
    if not path.stat().st_size:
        if finished:
            path.unlink()
        return None
    target = landing / name.landing_file
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        with suppress(OSError):
            os.link(path, target)
    if not (target.exists() and target.samefile(path)):
        # Another file system, or one without hard links.
        copy_tail(path, target)
    sync(target.parent)
    signal = "feedback" if is_feedback(path.name) else "traces"
    return Taken(name.landing_file, name.source, signal, finished, whole=name.source == FILES, inbox_file=path)


def _take_foreign(path: Path, landing: Path, seen: dict[int, str]) -> Taken | None:
    name = _identity(path)
    if name is None:
        return None
    seen[path.stat().st_ino] = name
    copy_tail(path, landing / _FOREIGN / name)
    held = landing / _HELD / name
    held.parent.mkdir(exist_ok=True)
    # Where the file system cannot, what is written after the last look and before deletion is lost.
    with suppress(OSError):
        os.link(path, held)
    return _foreign(name)


def _take_held(landing: Path, seen: dict[int, str]) -> Iterator[Taken]:
    """Files that left the inbox since the last look; those at rest are let go."""
    for held in sorted((landing / _HELD).glob("*")):
        inode = held.stat().st_ino
        if seen.get(inode) == held.name:
            continue
        # Under another identity its writer has truncated it: what this name stood for is copied.
        here = inode not in seen and _identity(held) == held.name
        grown = here and copy_tail(held, landing / _FOREIGN / held.name) > 0
        yield _foreign(held.name, finished=not grown, inbox_file=held)


def _foreign(name: str, *, finished: bool = False, inbox_file: Path | None = None) -> Taken:
    signal = "feedback" if is_feedback(name) else "traces"
    return Taken(f"{_FOREIGN}/{name}", FILES, signal, finished, inbox_file=inbox_file)


def _identity(path: Path) -> str | None:
    """A landing name that growth and renaming keep and rewriting changes; None: nothing complete yet."""
    with path.open("rb") as opened:
        head = opened.read(HEAD)
        inode = os.fstat(opened.fileno()).st_ino
        size = os.fstat(opened.fileno()).st_size
    packed = suffix_of(head)
    kind = None if packed else kind_of(head)
    if packed:
        # Its batches cannot be looked at without expanding all of it: one that grows is taken anew.
        first, suffix = head[:64] + str(size).encode(), packed
    elif kind is None:
        return None
    elif kind == "unknown":
        first, suffix = head[:64], SUFFIXES[kind]
    else:
        found = records(head, kind, 0, 1).ranges
        if not found and len(head) < HEAD:
            return None
        first, suffix = (head[: sum(found[0])] if found else head), SUFFIXES[kind]
    feedback = ".feedback" if is_feedback(path.name) and suffix != ".bin" else ""
    return f"{inode:x}-{hashlib.sha256(first).hexdigest()[:16]}{feedback}{suffix}"
