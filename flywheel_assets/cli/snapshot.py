"""`flywheel snapshot`: the command line of `commands/snapshot.py`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from flywheel_assets.cli.options import DATA, Data, Json, LakeUrl, places_at
from flywheel_assets.commands.envelope import respond

snapshot_app = typer.Typer(
    help="Publish the tables as a DuckDB file with the report page; compare and copy such files."
)
Name = "A file, the name of a dated snapshot, `current` or `previous`."


@snapshot_app.callback(invoke_without_command=True)
def snapshot(context: typer.Context, data: Data = DATA, lake: LakeUrl = "", as_json: Json = False) -> None:
    """Publish the tables as a DuckDB file, and the report page."""
    if context.invoked_subcommand is None:
        from flywheel_assets.commands.snapshot import build

        respond("snapshot", as_json, lambda: build(places_at(data, lake)))


@snapshot_app.command("diff")
def snapshot_diff(
    before: Annotated[str, typer.Argument(help=Name)] = "previous",
    after: Annotated[str, typer.Argument(help=Name)] = "current",
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Rows that were added, removed or changed in each table, and the decisions in between."""
    from flywheel_assets.commands.snapshot import diff

    respond("snapshot diff", as_json, lambda: diff(places_at(data, ""), before, after))


@snapshot_app.command("export")
def snapshot_export(  # noqa: PLR0913, PLR0917 - a parameter is an option
    out: Annotated[Path, typer.Argument(help="A file for duckdb, else a folder; it must not exist yet.")],
    form: Annotated[Literal["duckdb", "parquet", "csv"], typer.Option("--format", help="What to write.")] = "duckdb",
    masked: Annotated[
        bool, typer.Option("--masked", help="Without what people and models said, and with other names for people.")
    ] = False,
    source: Annotated[str, typer.Option("--from", help=Name)] = "current",
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Copy a snapshot, whole or masked, raw spans included: a file that stands alone."""
    from flywheel_assets.commands.snapshot import export

    respond("snapshot export", as_json, lambda: export(places_at(data, ""), out, form, source, masked=masked))


def report(
    source: Annotated[str, typer.Option("--from", help=Name)] = "current",
    out: Annotated[Path | None, typer.Option(help="Where to write it, if not to the data folder.")] = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Draw the report page of a snapshot: one HTML file that needs no network."""
    from flywheel_assets.commands.snapshot import draw

    respond("report", as_json, lambda: draw(places_at(data, ""), source, out))
