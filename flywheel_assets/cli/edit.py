"""`flywheel edit`: the command line of `commands/edit.py`."""

from typing import Annotated

import typer

from flywheel_assets.cli.options import DATA, Data, Json, LakeUrl, places_at
from flywheel_assets.commands.envelope import respond


def edit(  # noqa: PLR0913, PLR0917 - a parameter is an option
    skill: str,
    model: Annotated[
        str, typer.Option(envvar="FLYWHEEL_EDIT_MODEL", help="As LiteLLM names it; without one, nobody edits.")
    ] = "",
    base: Annotated[str, typer.Option(envvar="FLYWHEEL_EDIT_BASE", help="Address of an endpoint of one's own.")] = "",
    budget: Annotated[int, typer.Option(envvar="FLYWHEEL_EDIT_BUDGET", help="How many calls at most.", min=1)] = 300,
    timeout: Annotated[float, typer.Option(help="Seconds that an answer may take.")] = 60.0,
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Have a model rewrite a skill's prompt by what admitted runs show; what comes of it is a variant to be tried."""
    from flywheel_assets.commands.edit import edited_by

    respond("edit", as_json, lambda: edited_by(places_at(data, lake), skill, model, base or None, timeout, budget))
