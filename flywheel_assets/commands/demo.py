"""`flywheel demo`: play the simulated fleet against the wheel and show what came of it."""

from pathlib import Path

from rich.console import Console

from flywheel_assets.commands.envelope import Answer, RefusedError
from flywheel_assets.replay.demo import play
from flywheel_assets.replay.outcome import result, shown


def demo(data: Path, *, quiet: bool) -> Answer:
    """Play it, and say where to look."""
    console = Console(stderr=True, quiet=quiet, highlight=False)
    try:
        played = play(data, console.print)
    except FileExistsError as error:
        raise RefusedError(str(error), ["flywheel demo --data <an empty folder>"]) from error
    broken = [*played.failed, *(f"red check: {check}" for check in played.red)]
    return Answer(
        {**result(played.places, played.waves), "failed": played.failed, "red_checks": played.red},
        [*shown(played.places, played.waves), *broken],
        [
            f"open {played.places.report}   the report page",
            f"flywheel up --data {data}   the same in the Dagster UI: lineage, plots, checks, decisions",
            f"flywheel why triage --data {data}   from what was promoted to the spans that argued for it",
            f"duckdb -readonly {played.places.snapshots / 'current.duckdb'}   ask it yourself",
        ],
        ok=not broken,
    )
