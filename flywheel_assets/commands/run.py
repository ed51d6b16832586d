"""`flywheel run`: one turn of the wheel, with progress on a terminal."""

from rich.console import Console
from rich.text import Text

from flywheel_assets.commands.envelope import Answer
from flywheel_assets.commands.skills import read_skills
from flywheel_assets.lake.places import Places


def turn(places: Places, *, quiet: bool) -> Answer:
    """Turn the wheel, say what was rebuilt, what failed and which checks are red."""
    read_skills(places)
    console = Console(stderr=True, quiet=quiet)
    with console.status("loading") as status:
        # Dagster takes two seconds to import.
        from flywheel_assets.defs.turn import turn_the_wheel

        done = turn_the_wheel(places, lambda step, state: status.update(f"{step} {state}"))
    rebuilt = ", ".join(f"{asset} ×{count}" if count > 1 else asset for asset, count in done.rebuilt.items())
    shown = [
        Text(f"{'turned' if done.ok else 'stopped'} in {done.seconds} s · run {done.run_id[:8]}"),
        Text(f"written: {rebuilt or 'nothing was stale'}"),
        *(Text(f"{asset} stands: {why}") for asset, why in done.stands.items()),
        *(Text(f"✗ {failure}", style="red") for failure in done.failed),
        *(Text(f"red check: {red}", style="yellow") for red in done.red),
    ]
    result = {
        "run_id": done.run_id,
        "seconds": done.seconds,
        "written": done.rebuilt,
        "stands": done.stands,
        "failed": done.failed,
        "red_checks": done.red,
    }
    actions = ["flywheel up   shows the run and its log"] if done.failed or done.red else ["flywheel status"]
    return Answer(result, shown, actions, ok=done.ok and not done.red)
