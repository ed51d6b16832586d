"""`flywheel decisions`: the command line of `commands/decisions.py`."""

from typing import Annotated

import typer

from flywheel_assets.cli.options import DATA, Data, Json, LakeUrl, places_at
from flywheel_assets.commands.envelope import respond

Why = Annotated[str, typer.Option("--comment", help="Why.")]

decisions_app = typer.Typer(no_args_is_help=True, help="Read, check and answer the ledger of decisions.")


@decisions_app.command("list")
def decisions_list(
    skill: Annotated[str, typer.Option(help="Only this skill.")] = "",
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Every entry of the ledger, newest first."""
    from flywheel_assets.commands.decisions import entries

    respond("decisions list", as_json, lambda: entries(places_at(data, lake), skill))


@decisions_app.command("show")
def decisions_show(entry: str, data: Data = DATA, lake: LakeUrl = "", as_json: Json = False) -> None:
    """One entry: registration, criteria, numbers."""
    from flywheel_assets.commands.decisions import show

    respond("decisions show", as_json, lambda: show(places_at(data, lake), entry))


@decisions_app.command("verify")
def decisions_verify(data: Data = DATA, lake: LakeUrl = "", as_json: Json = False) -> None:
    """Check the hash chain: any edit is found."""
    from flywheel_assets.commands.decisions import check

    respond("decisions verify", as_json, lambda: check(places_at(data, lake)))


@decisions_app.command("replay")
def decisions_replay(entry: str, data: Data = DATA, lake: LakeUrl = "", as_json: Json = False) -> None:
    """Derive an entry's verdict again from its pinned evidence, and compare."""
    from flywheel_assets.commands.decisions import derive_again

    respond("decisions replay", as_json, lambda: derive_again(places_at(data, lake), entry))


@decisions_app.command("approve")
def decisions_approve(  # noqa: PLR0913, PLR0917 - a parameter is an option
    experiment: str,
    by: Annotated[str, typer.Option(help="Who answers.")],
    refuse: Annotated[bool, typer.Option("--refuse", help="Answer no.")] = False,
    comment: Why = "",
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Answer a promotion that asks for approval; the next turn acts on it."""
    from flywheel_assets.commands.decisions import approve

    respond(
        "decisions approve",
        as_json,
        lambda: approve(places_at(data, lake), experiment, by, comment, approved=not refuse),
    )


@decisions_app.command("reject")
def decisions_reject(  # noqa: PLR0913, PLR0917 - a parameter is an option
    experiment: str,
    by: Annotated[str, typer.Option(help="Who rejects.")],
    comment: Why = "",
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """End an open trial without a promotion; the next turn acts on it."""
    from flywheel_assets.commands.decisions import reject

    respond("decisions reject", as_json, lambda: reject(places_at(data, lake), experiment, by, comment))


@decisions_app.command("rollback")
def decisions_rollback(  # noqa: PLR0913, PLR0917 - a parameter is an option
    skill: str,
    by: Annotated[str, typer.Option(help="Who asks for it.")],
    comment: Why = "",
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Undo a skill's newest promotion; the next turn acts on it, and the ledger says who asked."""
    from flywheel_assets.commands.decisions import roll_back

    respond("decisions rollback", as_json, lambda: roll_back(places_at(data, lake), skill, by, comment))
