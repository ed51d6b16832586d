"""Bring files and folders that lie elsewhere into the inbox: what `flywheel ingest PATH` does."""

import errno
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from flywheel_assets.sources.compression import DamagedError, suffix_of, unwrap
from flywheel_assets.sources.framing import records
from flywheel_assets.sources.open_file import open_content
from flywheel_assets.sources.scan import scan, scan_feedback
from flywheel_assets.sources.segments import FILES, SegmentName, is_feedback, sync
from flywheel_assets.sources.take import SUFFIXES, copy_tail
from flywheel_assets.sources.translate import Translated, translate

COPIES = 4


@dataclass(slots=True)
class Ingested:
    """What went into the inbox, which files did not with the reason, and which were told in OTLP first.

    `moved` of the `files` are no longer where they were.
    """

    files: int = 0
    bytes: int = 0
    moved: int = 0
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    translated: dict[str, Translated] = field(default_factory=dict[str, Translated])

    def add(self, more: "Ingested") -> None:
        """What another path brought."""
        self.files += more.files
        self.bytes += more.bytes
        self.moved += more.moved
        self.skipped |= more.skipped
        self.translated |= more.translated


def ingest(path: Path, inbox: Path, *, keep_content: bool = False, move: bool = False) -> Ingested:
    """Bring OTLP, feedback and the forms of `foreign.py` from `path` (a file, or a folder) into the inbox.

    Of OTLP only a file's first batch is looked at: landing judges each. Copied rather than linked,
    because a file that is written anew in place would change what had landed; the same file twice
    lands once. `move` takes the files of OTLP and feedback themselves, which nobody may write to any
    more, without a second copy on disk; what is refused or translated stays where it is.
    `keep_content` keeps what was said in transcripts. Raises FileNotFoundError.
    """
    inbox.mkdir(parents=True, exist_ok=True)
    done = Ingested()
    if not path.exists():
        raise FileNotFoundError(f"nothing at {path}: give a file, or a folder that holds OTLP files")
    brought: dict[str, Future[int]] = {}
    # While one file is made durable the next are copied.
    with ThreadPoolExecutor(COPIES) as pool:
        for source in _files(path):
            suffix, reason = _look(source, inbox)
            if reason is not None:
                _translate(source, inbox, reason, done, keep_content=keep_content)
                continue
            name = _name(source, suffix)
            if name not in brought:  # else another name of the same file
                # What a symbolic link names lies in a place of its own, and stays there.
                moved = move and not source.is_symlink()
                brought[name] = pool.submit(_move if moved else _copy, source, inbox, name)
                done.moved += moved
            done.files += 1
    done.bytes += sum(one.result() for one in brought.values())
    sync(inbox)
    return done


def _name(source: Path, suffix: str) -> str:
    status = source.stat()
    identity = f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}".encode()
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return str(SegmentName(FILES, modified, hashlib.sha256(identity).hexdigest()[:16], suffix))


def _copy(source: Path, inbox: Path, name: str) -> int:
    hidden = inbox / f".{name}"
    hidden.unlink(missing_ok=True)
    size = copy_tail(source, hidden)
    hidden.rename(inbox / name)
    return size


def _move(source: Path, inbox: Path, name: str) -> int:
    """Take the file over: in the inbox, durable, before it is gone from where it was."""
    size = source.stat().st_size
    sync(source)
    try:
        source.rename(inbox / name)
    except OSError as refused:
        if refused.errno != errno.EXDEV:
            raise
        _copy(source, inbox, name)
        sync(inbox)
        source.unlink()
    return size


def _translate(source: Path, inbox: Path, reason: str, done: Ingested, *, keep_content: bool) -> None:
    """Take a file that is not OTLP for the `reason` given, where its form is known."""
    try:
        found = translate(source, open_content(source, inbox), inbox, keep_content=keep_content)
    except OSError as error:
        done.skipped[str(source)] = f"cannot be read: {error.strerror}"
        return
    if found is None:
        done.skipped[str(source)] = reason
        return
    done.translated[str(source)] = found
    done.files += 1
    done.bytes += found.bytes


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for inside, folders, names in os.walk(path):
        folders.sort()
        yield from (Path(inside, name) for name in sorted(names) if not name.startswith("."))


def _look(source: Path, scratch: Path) -> tuple[str, str | None]:
    """The suffix that tells the file's form, and why it cannot be taken."""
    try:
        content = open_content(source, scratch)
        with source.open("rb") as opened:
            packed = suffix_of(opened.read(4))
    except OSError as error:
        return "", f"cannot be read: {error.strerror}"
    kind = content.kind
    if kind is None:
        return "", "empty"
    if kind == "unknown":
        return "", "neither OTLP/JSON nor OTLP protobuf"
    first = records(content.data, kind, 0, 1).ranges
    if not first:
        return "", "holds no complete batch: damaged, or not OTLP"
    raw = content.data[first[0][0] : sum(first[0])]
    feedback = is_feedback(source.name)
    suffix = (".feedback" if feedback else "") + SUFFIXES[kind] + packed
    try:
        payload = bytes(unwrap(raw))
    except DamagedError as error:
        return "", f"its first batch is damaged ({error})"
    now = datetime.now(UTC)
    form = "json" if payload.startswith(b"{") else "protobuf"
    found = scan_feedback([payload], now) if feedback else scan([payload], form, now)
    return suffix, found[0].error
