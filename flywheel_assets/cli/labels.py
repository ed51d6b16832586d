"""`flywheel labels`: the command line of `commands/labels.py`."""

from pathlib import Path
from typing import Annotated

import typer

from flywheel_assets.cli.options import DATA, Data, Json, LakeUrl, places_at
from flywheel_assets.commands.envelope import respond

labels_app = typer.Typer(no_args_is_help=True, help="Ask people how runs went, and take their answers.")
Queue = Annotated[str, typer.Argument(help="anchors (the standing random sample), suspects, or unlabeled.")]
Most = Annotated[int, typer.Option(help="How many at most.", min=1)]
Days = Annotated[int, typer.Option(help="How far back runs are asked about.", min=0)]


@labels_app.command("list")
def labels_list(  # noqa: PLR0913, PLR0917 - a parameter is an option
    queue: Queue = "anchors",
    most: Most = 20,
    days: Days = 14,
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Open questions."""
    from flywheel_assets.commands.labels import listed

    respond("labels list", as_json, lambda: listed(places_at(data, lake), queue, most, days))


@labels_app.command("export")
def labels_export(  # noqa: PLR0913, PLR0917 - a parameter is an option
    queue: Queue,
    path: Annotated[Path, typer.Argument(help="FILE.csv or FILE.jsonl")],
    most: Most = 100,
    days: Days = 14,
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Write open questions to a file that a person fills in."""
    from flywheel_assets.commands.labels import exported

    respond("labels export", as_json, lambda: exported(places_at(data, lake), queue, path, most, days))


@labels_app.command("answer")
def labels_answer(  # noqa: PLR0913, PLR0917 - a parameter is an option
    queue: Queue,
    run: Annotated[str, typer.Argument(help="The target_id of the question.")],
    verdict: Annotated[str, typer.Argument(help="pass, fail or unclear.")],
    by: Annotated[str, typer.Option(help="Who says so.")],
    correction: Annotated[str, typer.Option(help="What the answer should have been.")] = "",
    comment: Annotated[str, typer.Option(help="Why.")] = "",
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Answer one question; the receiver's desk keeps the same record."""
    from flywheel_assets.commands.labels import answered

    said = {"verdict": verdict, "correction": correction, "comment": comment, "author": by}
    filled = {name: value for name, value in said.items() if value}
    respond("labels answer", as_json, lambda: answered(places_at(data, lake), queue, run, filled))


@labels_app.command("ingest")
def labels_ingest(
    path: Annotated[Path, typer.Argument(help="The file, filled in; dropping it into the inbox does the same.")],
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Take answers; lines that cannot be meant are set aside with their reason."""
    from flywheel_assets.commands.labels import taken

    respond("labels ingest", as_json, lambda: taken(places_at(data, lake), path))
