"""Which dated snapshots stay, and releasing the lake versions of those that go."""

from datetime import datetime, timedelta
from pathlib import Path

from flywheel_assets.lake.lake import Lake

# A pin without a file may belong to a snapshot that is being built.
BUILD_TIME = timedelta(hours=6)


def dated(folder: Path) -> list[Path]:
    """The dated snapshots in the folder, newest first."""
    return sorted(folder.glob("[0-9]*T[0-9]*.duckdb"), reverse=True)


def prune(lake: Lake, folder: Path, keep: int, at: datetime) -> list[str]:
    """Remove all but the newest `keep` dated snapshots and release their pins; the stamps removed.

    What a build left behind when it was killed goes too: its pins, its unfinished file.
    """
    gone = dated(folder)[max(keep, 1) :]
    for path in gone:
        path.unlink()
        path.with_suffix(".json").unlink(missing_ok=True)
    there = {path.stem for path in dated(folder)}
    oldest = (at - BUILD_TIME).strftime("%Y%m%dT%H%M%S")
    removed = {path.stem for path in gone}
    for path in folder.glob(".building-*"):
        if path.name.removeprefix(".building-") < oldest and path.is_file():
            path.unlink()
    for name in lake.pins():
        owner, _, stamp = name.partition("/")
        if owner == "snapshot" and stamp not in there and (stamp in removed or stamp < oldest):
            lake.unpin(name)
    return sorted(removed)
