"""`flywheel review`: the command line of `commands/review.py`."""

from typing import Annotated

import typer

from flywheel_assets.cli.options import DATA, Data, Json, LakeUrl, places_at
from flywheel_assets.commands.envelope import respond

review_app = typer.Typer(no_args_is_help=True, help="Look at what the gates refused, and have the last word.")


@review_app.command("list")
def review_list(  # noqa: PLR0913, PLR0917 - a parameter is an option
    gate: Annotated[str, typer.Option(help="Only what this gate decided.")] = "",
    skill: Annotated[str, typer.Option(help="Only this skill.")] = "",
    share: Annotated[float, typer.Option(help="A random share, the same examples each time.", min=0, max=1)] = 1.0,
    most: Annotated[int, typer.Option(help="How many at most.", min=1)] = 20,
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Examples that were refused, with the gate's reason."""
    from flywheel_assets.commands.review import listed

    respond("review list", as_json, lambda: listed(places_at(data, lake), gate, skill, share, most))


By = Annotated[str, typer.Option(help="Who says so.")]
Why = Annotated[str, typer.Option("--comment", help="Why.")]


@review_app.command("release")
def review_release(  # noqa: PLR0913, PLR0917 - a parameter is an option
    example: str, by: By, comment: Why = "", data: Data = DATA, lake: LakeUrl = "", as_json: Json = False
) -> None:
    """Make a refused example evidence; the next turn acts on it."""
    from flywheel_assets.commands.review import word
    from flywheel_assets.tables.documents.review import RELEASE

    respond("review release", as_json, lambda: word(places_at(data, lake), example, RELEASE, by, comment or None))


@review_app.command("refuse")
def review_refuse(  # noqa: PLR0913, PLR0917 - a parameter is an option
    example: str, by: By, comment: Why = "", data: Data = DATA, lake: LakeUrl = "", as_json: Json = False
) -> None:
    """Refuse an example, whatever the gates say of it; the next turn acts on it."""
    from flywheel_assets.commands.review import word
    from flywheel_assets.tables.documents.review import REFUSE

    respond("review refuse", as_json, lambda: word(places_at(data, lake), example, REFUSE, by, comment or None))


@review_app.command("confirm")
def review_confirm(  # noqa: PLR0913, PLR0917 - a parameter is an option
    example: str, by: By, comment: Why = "", data: Data = DATA, lake: LakeUrl = "", as_json: Json = False
) -> None:
    """Confirm that a gate was right: the example stays refused, by your word too."""
    from flywheel_assets.commands.review import confirmed

    respond("review confirm", as_json, lambda: confirmed(places_at(data, lake), example, by, comment or None))


@review_app.command("sample")
def review_sample(
    most: Annotated[int, typer.Option(help="How many at most.", min=1)] = 20,
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """A random share of refused and of admitted examples that nobody has reviewed: what gates are judged by."""
    from flywheel_assets.commands.review_sample import sampled

    respond("review sample", as_json, lambda: sampled(places_at(data, lake), most))
