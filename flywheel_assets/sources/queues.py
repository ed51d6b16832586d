"""Labelling queues: written for people to fill in, and taken out of the inbox when they come back."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from flywheel_assets.sources.open_file import open_content
from flywheel_assets.sources.segments import SegmentName
from flywheel_assets.sources.translate import Translated, translate
from flywheel_assets.tables.documents.queue import COLUMNS, EXECUTED, GUARD, MARK

_FOLDER = "queues"
_HEADS = tuple(start + MARK.encode() for start in (b"", b'"', b'{"', b'{ "', b"\xef\xbb\xbf"))


def write_queue(path: Path, rows: Iterable[Mapping[str, object]]) -> int:
    """Write the questions as CSV, or as JSON lines where `path` ends so; returns how many."""
    lines = [{name: row.get(name) for name in COLUMNS} for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}")
    if path.suffix == ".csv":
        told = io.StringIO()
        writer = csv.writer(told, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([_harmless(value) for value in line.values()] for line in lines)
        # The mark at the start tells spreadsheets that it is UTF-8.
        hidden.write_text(told.getvalue(), encoding="utf-8-sig")
    else:
        told_lines = (json.dumps(line, ensure_ascii=False, default=str) + "\n" for line in lines)
        hidden.write_text("".join(told_lines), encoding="utf-8")
    hidden.replace(path)
    return len(lines)


def _harmless(value: object) -> object:
    """Text of strangers that a spreadsheet would execute is marked as text."""
    return GUARD + value if isinstance(value, str) and value.startswith(EXECUTED) else value


def take_queues(inbox: Path, landing: Path) -> dict[str, Translated]:
    """Turn filled queues of the inbox into feedback there, and keep them as they were under `landing`.

    A file that is still being written when it is taken is read again once it has grown.
    """
    kept = landing / _FOLDER
    for path in sorted(inbox.glob("*")) if inbox.is_dir() else ():
        if (
            not path.name.startswith(".")
            and path.is_file()
            and SegmentName.parse(path.name) is None
            and _is_queue(path)
        ):
            kept.mkdir(parents=True, exist_ok=True)
            path.rename(kept / f"{path.stat().st_ino:x}-{path.name}")
    found: dict[str, Translated] = {}
    for path in sorted(kept.glob("[!.]*")):
        status = path.stat()
        state, done = f"{status.st_size}:{status.st_mtime_ns}", path.with_name(f".{path.name}.done")
        if done.exists() and done.read_text() == state:
            continue
        told = translate(path, open_content(path, landing), inbox, keep_content=True)
        if told is not None:
            found[path.name] = told
        done.write_text(state)
    return found


def _is_queue(path: Path) -> bool:
    with path.open("rb") as opened:
        return opened.read(64).startswith(_HEADS)
