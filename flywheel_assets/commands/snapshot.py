"""`flywheel snapshot`: a DuckDB file of the tables as they are now, and the report page."""

from datetime import UTC, datetime

from rich.text import Text

from flywheel_assets.commands.envelope import Answer
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.snapshots.build import build_snapshot
from flywheel_assets.snapshots.report import write_report


def build(places: Places) -> Answer:
    """Build beside, audit, rename into place."""
    now = datetime.now(UTC)
    built = build_snapshot(Lake(places.lake), places.snapshots, now)
    write_report(built.path, places.report, now)
    current = places.snapshots / "current.duckdb"
    result = {"path": built.path, "current": current, "report": places.report, "rows": built.rows, "bytes": built.bytes}
    words = f"{sum(built.rows.values())} rows, {built.bytes / 1e6:.1f} MB: {current}\nreport: {places.report}"
    return Answer(result, [Text(words)], [f"duckdb -readonly {current}"])
