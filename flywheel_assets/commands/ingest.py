"""`flywheel ingest`: recorded telemetry through the same door as live telemetry."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from flywheel_assets.commands.envelope import NOT_FOUND, Answer, RefusedError
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.sources.ingest import Ingested, ingest
from flywheel_assets.sources.land import land


def bring(
    places: Places, paths: Sequence[Path], *, land_now: bool, keep_content: bool = False, move: bool = False
) -> Answer:
    """Copy (or move) into the inbox, unless one of `paths` is not there; index it too, unless told not to."""
    if missing := [str(path) for path in paths if not path.exists()]:
        raise RefusedError(
            f"{', '.join(missing)} does not exist",
            ["name files and folders of OTLP, feedback, sessions or exports"],
            NOT_FOUND,
        )
    brought = Ingested()
    try:
        for path in paths:
            brought.add(ingest(path, places.inbox, keep_content=keep_content, move=move))
    except PermissionError as error:
        raise RefusedError(
            f"{error.filename}: {error.strerror}; what is in the inbox already lands with the next turn",
            ["allow it to be moved, or leave out --move: then it is copied"] if move else ["allow it to be read"],
        ) from error
    landed = land(Lake(places.lake), places.inbox, places.landing, datetime.now(UTC)) if land_now else None
    result = {"brought": asdict(brought), "landed": asdict(landed) if landed else None}
    shown = [Text(f"brought in: {brought}"), *([Text(f"indexed: {landed}")] if landed else [])]
    return Answer(result, shown, ["flywheel run   turns the wheel over it"])
