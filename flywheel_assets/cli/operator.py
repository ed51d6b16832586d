"""`flywheel backfill` and `flywheel retain`: the command line of what operators do by hand."""

from datetime import datetime
from typing import Annotated

import typer

from flywheel_assets.cli.options import DATA, Data, Json, LakeUrl, places_at
from flywheel_assets.commands.envelope import respond

Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"])]


def backfill(  # noqa: PLR0913, PLR0917 - a parameter is an option
    first: Day,
    last: Day,
    asset: Annotated[
        list[str] | None, typer.Option(help="A table that is by day, with those written beside it; repeatable.")
    ] = None,
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Build the days from FIRST to LAST again, a month a run, whether or not anything changed."""
    from flywheel_assets.commands.backfill import build_again

    respond(
        "backfill",
        as_json,
        lambda: build_again(places_at(data, lake), first.date(), last.date(), asset or (), quiet=as_json),
    )


def retain(  # noqa: PLR0913, PLR0917 - a parameter is an option
    apply: Annotated[bool, typer.Option("--apply", help="Remove it; without this, only say what would go.")] = False,
    lake_days: Annotated[int, typer.Option(help="How long replaced table versions stay readable.", min=0)] = 30,
    history_days: Annotated[int, typer.Option(help="How long superseded runs stay in Dagster's history.", min=0)] = 30,
    snapshots: Annotated[int, typer.Option(help="How many dated snapshots stay.", min=1)] = 10,
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Remove what is superseded and old; what a decision or a snapshot pins stays."""
    from flywheel_assets.commands.retain import retain as tidy

    respond("retain", as_json, lambda: tidy(places_at(data, lake), lake_days, history_days, snapshots, apply=apply))
