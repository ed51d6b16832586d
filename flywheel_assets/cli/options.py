"""Options that every command takes."""

from pathlib import Path
from typing import Annotated

import typer

from flywheel_assets.lake.places import Places

Json = Annotated[
    bool, typer.Option("--json", help="Answer with one JSON object: ok, command, result, error, next_actions.")
]
Data = Annotated[Path, typer.Option("--data", envvar="FLYWHEEL_DATA", help="The data folder.")]
LakeUrl = Annotated[
    str, typer.Option("--lake", envvar="FLYWHEEL_LAKE", help="Where the tables are, if not in the data folder.")
]
DATA = Path("data")


def places_at(data: Path, lake: str) -> Places:
    """The layout that the options name."""
    return Places(data, lake or None)
