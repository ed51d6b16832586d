"""What a snapshot's tables are made of: the lake's files, so that a later snapshot copies only what is new."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from deltalake import DeltaTable

from flywheel_assets.lake import log
from flywheel_assets.lake.lake import Lake
from flywheel_assets.snapshots.retention import dated
from flywheel_assets.tables.table import Table

# By table and day ('' where a table has none): which files of the lake hold it.
Parts = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Base:
    """A published snapshot that a new one starts from."""

    path: Path
    parts: Parts


def opened(lake: Lake, table: Table, versions: Mapping[str, int]) -> DeltaTable | None:
    """The table at its version of `versions`; None where that names none."""
    version = versions.get(table.name)
    return None if version is None else lake.open(table, version)


def parts(lake: Lake, tables: Iterable[Table], versions: Mapping[str, int]) -> Parts:
    """What each table is made of at its version. Files are never written to again, so names tell content."""
    found: Parts = {}
    for table in tables:
        days: dict[str, list[str]] = {}
        at = opened(lake, table, versions)
        for day, path in sorted(log.files(at), key=str) if at is not None else ():
            days.setdefault(day.isoformat() if day else "", []).append(path)
        found[table.name] = {
            day: hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()[:16] for day, paths in days.items()
        }
    return found


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[date]:
    """The days of a table by day whose files differ, or that are on one side only."""
    return sorted(date.fromisoformat(day) for day in before.keys() | after.keys() if before.get(day) != after.get(day))


def base_of(folder: Path, layout: str) -> Base | None:
    """The newest snapshot, if it has that layout and nobody wrote to it since it was published."""
    for path in dated(folder)[:1]:
        manifest = path.with_suffix(".json")
        said = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}
        seen = path.stat()
        if (said.get("layout"), said.get("bytes"), said.get("modified_ns")) == (
            layout,
            seen.st_size,
            seen.st_mtime_ns,
        ):
            return Base(path, said["parts"])
    return None
