"""`flywheel poll`: ask the sources that do not push, now."""

import os
from dataclasses import asdict
from datetime import UTC, datetime

from rich.text import Text

from flywheel_assets.commands.envelope import NOT_FOUND, Answer, RefusedError
from flywheel_assets.lake.places import Places
from flywheel_assets.sources.polling import POLLED, Asked, asking, configured


def poll(places: Places, names: list[str]) -> Answer:
    """Poll the named sources, or all that are configured; what comes is in the inbox then."""
    unknown = sorted(set(names) - set(POLLED))
    if unknown:
        raise RefusedError(f"no source is called {', '.join(unknown)}", [f"choose of {', '.join(POLLED)}"], NOT_FOUND)
    wanted = names or configured(os.environ)
    missing = {name: POLLED[name].missing(os.environ) for name in wanted or POLLED}
    if not wanted or any(missing.values()):
        told = [f"{name}: set {', '.join(lacking)}" for name, lacking in missing.items() if lacking]
        raise RefusedError("not configured", told)
    asked = asking(wanted, os.environ, (places.inbox, places.cursors), datetime.now(UTC))
    return Answer(
        [asdict(one) for one in asked],
        [Text(_said(one)) for one in asked],
        ["flywheel run   turns the wheel over it"],
        ok=all(one.fault is None for one in asked),
    )


def _said(one: Asked) -> str:
    polled = one.polled
    told = f"{one.source}: {polled.rows} rows in {polled.batches} batches, set aside: {polled.set_aside or 'none'}"
    return f"{told}; stopped: {one.fault}" if one.fault else told
