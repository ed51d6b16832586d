"""`flywheel backfill`: build days again, whether or not anything they read has changed."""

from collections.abc import Sequence
from datetime import date, timedelta

from rich.console import Console
from rich.text import Text

from flywheel_assets.commands.envelope import USAGE, Answer, RefusedError
from flywheel_assets.commands.skills import read_skills
from flywheel_assets.lake.places import Places


def build_again(places: Places, first: date, last: date, assets: Sequence[str], *, quiet: bool) -> Answer:
    """A month a run, in this process; where it fails, says how to go on from there."""
    from flywheel_assets.defs.backfill import backfill, steps_of

    read_skills(places)
    if last < first:
        raise RefusedError(f"{first} is after {last}", code=USAGE)
    try:
        steps = steps_of(assets)
    except ValueError as error:
        raise RefusedError(str(error), code=USAGE) from error
    reached, runs, ok, failed = first - timedelta(days=1), 0, True, list[str]()
    with Console(stderr=True, quiet=quiet).status(f"building from {first}") as status:
        for until, done in backfill(places, steps, first, last):
            runs, ok, failed = runs + 1, done.ok, done.failed
            if done.ok:
                reached = until
                status.update(f"built until {until}")
    names = [step.name for step in steps]
    result = {"first": first, "last": last, "built_until": reached, "runs": runs, "steps": names, "failed": failed}
    if ok:
        words = f"{', '.join(names)}: built from {first} to {last} in {runs} runs"
        return Answer(result, [Text(words)], ["flywheel run   takes what changed to scores and decisions"])
    chosen = "".join(f" --asset {name}" for name in assets)
    goes_on = f"flywheel backfill {reached + timedelta(days=1)} {last}{chosen}   goes on from there"
    words = f"a run failed; built until {reached}" if reached >= first else "the first run failed"
    shown = [Text(words, style="red"), *(Text(f"✗ {failure}", style="red") for failure in failed)]
    return Answer(result, shown, ["flywheel up   shows the run and its log", goes_on], ok=False)
