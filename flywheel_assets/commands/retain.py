"""`flywheel retain`: what is superseded and old, and removing it."""

from datetime import UTC, datetime

from rich.text import Text

from flywheel_assets.commands.envelope import Answer
from flywheel_assets.lake.places import Places


def retain(places: Places, lake_days: int, history_days: int, snapshots: int, *, apply: bool) -> Answer:
    """Say what would go, or let it go."""
    from flywheel_assets.defs.home import instance
    from flywheel_assets.defs.retention import Keep
    from flywheel_assets.defs.retention import retain as tidy

    keep = Keep(dry_run=not apply, lake_days=lake_days, history_days=history_days, snapshots=snapshots)
    with instance(places) as dagster:
        gone = tidy(places, dagster, keep, datetime.now(UTC))
    result = {"dry_run": not apply, "files": gone.files, "runs": gone.runs, "snapshots": gone.snapshots}
    files = ", ".join(f"{count} of {table}" for table, count in gone.files.items()) or "none"
    words = (
        f"{'removed' if apply else 'would go'}\n"
        f"files of old table versions: {files}\n"
        f"runs of Dagster's history:   {len(gone.runs)}\n"
        f"snapshots:                   {', '.join(gone.snapshots) or 'none'}"
    )
    return Answer(result, [Text(words)], [] if apply else ["flywheel retain --apply   removes them"])
