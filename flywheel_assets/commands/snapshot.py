"""`flywheel snapshot`: a DuckDB file of the tables as they are now and the report page; its copies; what changed."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table
from rich.text import Text

from flywheel_assets.commands.envelope import NOT_FOUND, Answer, RefusedError
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.snapshots.build import build_snapshot
from flywheel_assets.snapshots.compare import Change, Entry, compare
from flywheel_assets.snapshots.report import write_report
from flywheel_assets.snapshots.retention import dated
from flywheel_assets.snapshots.share import Form, share


def build(places: Places) -> Answer:
    """Build beside, audit, rename into place."""
    now = datetime.now(UTC)
    built = build_snapshot(Lake(places.lake), places.snapshots, now)
    write_report(built.path, places.report, now)
    current = places.snapshots / "current.duckdb"
    result = {"path": built.path, "current": current, "report": places.report, "rows": built.rows, "bytes": built.bytes}
    words = f"{sum(built.rows.values())} rows, {built.bytes / 1e6:.1f} MB: {current}\nreport: {places.report}"
    return Answer(result, [Text(words)], [f"duckdb -readonly {current}"])


def draw(places: Places, name: str, out: Path | None) -> Answer:
    """The report page of a snapshot, of today or of then."""
    source, page = _found(places, name), out or places.report
    write_report(source, page, datetime.now(UTC))
    return Answer({"source": source, "report": page}, [Text(f"{source.stem}: {page}")])


def export(places: Places, out: Path, form: Form, name: str, *, masked: bool) -> Answer:
    """Copy a snapshot to `out`."""
    source = _found(places, name)
    try:
        rows = share(source, out, form, masked=masked)
    except FileExistsError as error:
        raise RefusedError(str(error), ["name a file or folder that does not exist yet"]) from error
    told = "no words, and names that mean nothing outside of it" if masked else "as it is: words and names included"
    result = {"source": source, "out": out, "form": form, "masked": masked, "rows": rows}
    return Answer(result, [Text(f"{sum(rows.values())} rows of {len(rows)} tables, {told}: {out}")])


def diff(places: Places, before: str, after: str) -> Answer:
    """What the later file has that the earlier has not."""
    earlier, later = _found(places, before), _found(places, after)
    changes, entries = compare(earlier, later)
    result = {
        "before": earlier,
        "after": later,
        "tables": [asdict(change) for change in changes],
        "decisions": [asdict(entry) for entry in entries],
    }
    if not changes:
        return Answer(result, [Text(f"{earlier.stem} and {later.stem} hold the same rows")])
    shown = [_changes(earlier, later, changes), *([_decisions(entries)] if entries else [])]
    return Answer(result, shown, [f"flywheel why {entry.experiment_id}" for entry in entries[-1:]])


def _changes(earlier: Path, later: Path, changes: list[Change]) -> Table:
    shown = Table(title=f"{earlier.stem} → {later.stem}")
    shown.add_column("table")
    for name in ("rows", "added", "removed", "changed"):
        shown.add_column(name, justify="right")
    shown.add_column("note")
    for change in changes:
        counts = ["–" if n is None else str(n) for n in (change.added, change.removed, change.changed)]
        shown.add_row(change.table, f"{change.rows[0]} → {change.rows[1]}", *counts, change.note or "")
    return shown


def _decisions(entries: list[Entry]) -> Table:
    shown = Table("decision", "skill", "candidate", "why", title="new in the ledger")
    for entry in entries:
        shown.add_row(entry.kind, entry.skill, entry.candidate_arm, entry.reason or "")
    return shown


def _found(places: Places, name: str) -> Path:
    """A file by its path, or by its name among the snapshots; `previous` is the newest but one."""
    published = dated(places.snapshots)
    if name == "previous":
        if len(published) < 2:
            message = f"{places.snapshots} holds {len(published)} dated snapshot(s): there is none before the newest"
            raise RefusedError(message, ["flywheel snapshot"], NOT_FOUND)
        return published[1]
    for path in (Path(name), places.snapshots / name, places.snapshots / f"{name}.duckdb"):
        if path.is_file():
            return path
    have = ", ".join(["current", "previous", *(path.stem for path in published)]) if published else "none"
    message = f"there is no snapshot {name!r}; here are: {have}"
    raise RefusedError(message, ["flywheel snapshot"], NOT_FOUND)
