"""`flywheel`: what a person or a script types. Each command's work is in `commands/`."""

from pathlib import Path
from typing import Annotated

import typer

from flywheel_assets.cli.decisions import decisions_app
from flywheel_assets.cli.edit import edit
from flywheel_assets.cli.examples import teach
from flywheel_assets.cli.group import Commands
from flywheel_assets.cli.labels import labels_app
from flywheel_assets.cli.operator import backfill, retain
from flywheel_assets.cli.options import DATA, Data, Json, LakeUrl, places_at
from flywheel_assets.cli.review import review_app
from flywheel_assets.cli.snapshot import report, snapshot_app
from flywheel_assets.commands.envelope import respond
from flywheel_assets.lake.places import Places

app = typer.Typer(
    name="flywheel",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Turns what AI agents do in production into better agents. Start with `flywheel up`, point your agents' "
    "OTLP exporter at it, state your skills in data/skills.yaml, and look at `flywheel status`.",
    epilog="Exit codes: 0 done; 1 it ran and something is red; 2 wrong usage; 3 no such thing; 4 not ready. "
    "With --json, one object: ok, command, result, error, next_actions. More: docs/commands.md.",
)
START, BRING, LOOK, PEOPLE, OPERATE = "Start", "Bring in", "Look", "Have a say", "Operate and try out"


@app.command(rich_help_panel=START)
def up(  # noqa: PLR0913, PLR0917 - a parameter is an option
    data: Data = DATA,
    lake: LakeUrl = "",
    port: Annotated[int, typer.Option(help="Port of the Dagster UI; 0 finds a free one.")] = 3000,
    otlp_http: Annotated[int, typer.Option(help="Port for OTLP over HTTP; 0 finds a free one.")] = 4318,
    otlp_grpc: Annotated[int, typer.Option(help="Port for OTLP over gRPC; 0 finds a free one.")] = 4317,
    as_json: Json = False,
) -> None:
    """Start the receiver and Dagster (UI, sensors, schedules) on this machine, until Ctrl-C."""
    from flywheel_assets.commands.up import Ports, stay_up

    respond("up", as_json, lambda: stay_up(places_at(data, lake), Ports(port, otlp_http, otlp_grpc), as_json=as_json))


@app.command(rich_help_panel=OPERATE)
def receive(  # noqa: PLR0913, PLR0917 - a parameter is an option
    data: Data = DATA,
    lake: LakeUrl = "",
    host: Annotated[str, typer.Option(help="Address to listen on; beyond loopback a token is needed.")] = "127.0.0.1",
    http_port: Annotated[int, typer.Option(help="0 finds a free one.")] = 4318,
    grpc_port: Annotated[int, typer.Option(help="0 finds a free one.")] = 4317,
    token: Annotated[str, typer.Option(envvar="FLYWHEEL_TOKEN", help="Bearer token that senders must show.")] = "",
    emit_token: Annotated[
        str, typer.Option(envvar="OTEL_EMIT_TOKEN", help="What system-bus workers show in x-otel-emit-token.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Run the receiver and its desk alone, in the foreground: for a machine of its own."""
    from flywheel_assets.commands.receive import receive as take

    settings = {
        "inbox": Places(data).inbox,
        "host": host,
        "http_port": http_port,
        "grpc_port": grpc_port,
        "token": token or None,
        "emit_token": emit_token or None,
    }
    respond("receive", as_json, lambda: take(places_at(data, lake), settings, as_json=as_json))


@app.command(rich_help_panel=BRING)
def ingest(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command
    paths: Annotated[
        list[Path],
        typer.Argument(help="Recorded spans, feedback, coding agents' sessions, exports: files and folders."),
    ],
    land: Annotated[bool, typer.Option(help="Index it at once.")] = True,
    keep_content: Annotated[bool, typer.Option(help="Keep what was said in coding agents' sessions.")] = False,
    move: Annotated[
        bool, typer.Option("--move", help="Take files of OTLP and feedback that nobody writes to any more, not copies.")
    ] = False,
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Bring recorded telemetry in through the same door as live telemetry."""
    from flywheel_assets.commands.ingest import bring

    places, how = places_at(data, lake), {"land_now": land, "keep_content": keep_content, "move": move}
    respond("ingest", as_json, lambda: bring(places, paths, **how))


@app.command(rich_help_panel=BRING)
def poll(
    sources: Annotated[list[str] | None, typer.Argument(help="Restate, inngest, typesense, clickhouse.")] = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Ask the sources that do not push, now; without a name, all that the environment configures."""
    from flywheel_assets.commands.poll import poll as ask

    respond("poll", as_json, lambda: ask(Places(data), [name.lower() for name in sources or []]))


@app.command(rich_help_panel=START)
def run(data: Data = DATA, lake: LakeUrl = "", as_json: Json = False) -> None:
    """Turn the wheel once, here: land, rebuild what is stale, decide, publish, snapshot."""
    from flywheel_assets.commands.run import turn

    respond("run", as_json, lambda: turn(places_at(data, lake), quiet=as_json))


@app.command(rich_help_panel=PEOPLE)
def judge(  # noqa: PLR0913, PLR0917 - a parameter is an option
    model: Annotated[
        str, typer.Option(envvar="FLYWHEEL_JUDGE_MODEL", help="As LiteLLM names it; without one, nobody judges.")
    ] = "",
    base: Annotated[str, typer.Option(envvar="FLYWHEEL_JUDGE_BASE", help="Address of an endpoint of one's own.")] = "",
    most: Annotated[int, typer.Option(help="How many runs at most.", min=1)] = 20,
    budget: Annotated[
        int, typer.Option(envvar="FLYWHEEL_JUDGE_BUDGET", help="How many calls a UTC day at most.", min=0)
    ] = 100,
    days: Annotated[int, typer.Option(help="How far back runs are looked at.", min=0)] = 7,
    timeout: Annotated[float, typer.Option(help="Seconds that an answer may take.")] = 60.0,
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """Have a model judge a random sample of recent runs; its words are feedback of the tier `judge`."""
    from flywheel_assets.commands.judge import Bounds, judged_by

    bounds = Bounds(most, budget, days)
    respond("judge", as_json, lambda: judged_by(places_at(data, lake), model, base or None, timeout, bounds))


@app.command(rich_help_panel=LOOK)
def status(data: Data = DATA, lake: LakeUrl = "", as_json: Json = False) -> None:
    """Rows and stale days of each stage, what is on trial, and what to do next."""
    from flywheel_assets.commands.status import status as look

    respond("status", as_json, lambda: look(places_at(data, lake)))


@app.command(rich_help_panel=LOOK)
def why(
    what: Annotated[str, typer.Argument(help="A skill, artifact, prompt version, arm, experiment or ledger entry.")],
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """From what was promoted to the runs and spans that argued for and against it."""
    from flywheel_assets.commands.why import why as explain

    respond("why", as_json, lambda: explain(places_at(data, lake), what))


@app.command("used-by", rich_help_panel=LOOK)
def used_by(
    span: Annotated[str, typer.Argument(help="TRACE:SPAN, in hex")],
    data: Data = DATA,
    lake: LakeUrl = "",
    as_json: Json = False,
) -> None:
    """From a span to its run and every decision that it touched."""
    from flywheel_assets.commands.why import used_by as trace

    respond("used-by", as_json, lambda: trace(places_at(data, lake), span))


@app.command(rich_help_panel=START)
def demo(
    data: Annotated[Path, typer.Option("--data", help="A folder for the demo alone; it is emptied first.")] = DATA
    / "demo",
    as_json: Json = False,
) -> None:
    """A simulated fleet, the whole wheel, and a page worth looking at."""
    from flywheel_assets.commands.demo import demo as play

    respond("demo", as_json, lambda: play(data, quiet=as_json))


@app.command(rich_help_panel=OPERATE)
def replay(  # noqa: PLR0913, PLR0917 - a parameter is an option
    path: Annotated[Path, typer.Argument(help="A recorded matrix: Parquet, CSV or JSON lines; see replay/matrix.py.")],
    out: Annotated[Path, typer.Option(help="Where the report and its JSON go.")] = DATA / "replays",
    mode: Annotated[str, typer.Option(help="contextual, trials, cascade or doors; else what the file allows.")] = "",
    column: Annotated[list[str] | None, typer.Option(help="meaning=column, e.g. arm=engine; repeatable.")] = None,
    context: Annotated[list[str] | None, typer.Option(help="A column known before acting; repeatable.")] = None,
    price: Annotated[list[str] | None, typer.Option(help="arm=USD where no cost is recorded; repeatable.")] = None,
    where: Annotated[str, typer.Option(help="Which rows, as a DuckDB condition.")] = "",
    budget: Annotated[
        list[float] | None, typer.Option(help="contextual: share of the way to the dearest; repeatable.")
    ] = None,
    usd: Annotated[float | None, typer.Option(help="cascade: mean cost allowed.")] = None,
    baseline: Annotated[str, typer.Option(help="trials: the arm in production at launch.")] = "",
    runs: Annotated[int, typer.Option(help="trials: how many runs; else 3000, through the doors 1200.")] = 0,
    seeds: Annotated[int, typer.Option(help="Else 5, through the doors 1.")] = 0,
    through_doors: Annotated[
        bool, typer.Option(help="OTLP to a receiver, Dagster turns, the published document by the client.")
    ] = False,
    arrive: Annotated[int, typer.Option(help="trials, doors: runs from one new arm to the next.")] = 0,
    at_once: Annotated[int, typer.Option(help="trials, doors: candidates on trial at the same time.")] = 1,
    every: Annotated[int, typer.Option(help="Runs from one artifact to the next.")] = 100,
    name: Annotated[str, typer.Option(help="Of the report.")] = "",
    aim: Annotated[str, typer.Option(help="What was aimed at, to be said beside what was reached.")] = "",
    as_json: Json = False,
) -> None:
    """Drive the wheel over recorded outcomes: what would it have promoted, and what is that worth?"""
    from flywheel_assets.commands.replay import Asked, Reading
    from flywheel_assets.commands.replay import replay as drive

    said = (dict(one.split("=", 1) for one in options or ()) for options in (column, price))
    columns, prices = said
    reading = Reading(columns, tuple(context or ()), where, {arm: float(each) for arm, each in prices.items()})
    mode = "doors" if through_doors else mode
    asked = Asked(
        path,
        out,
        reading,
        mode,
        tuple(budget or ()),
        usd,
        baseline,
        runs,
        seeds,
        every,
        arrive,
        at_once,
        name,
        aim,
    )
    respond("replay", as_json, lambda: drive(asked, quiet=as_json))


app.command(rich_help_panel=LOOK)(report)
app.add_typer(snapshot_app, name="snapshot", rich_help_panel=LOOK)
app.add_typer(decisions_app, name="decisions", rich_help_panel=PEOPLE)
app.add_typer(review_app, name="review", rich_help_panel=PEOPLE)
app.add_typer(labels_app, name="labels", rich_help_panel=PEOPLE)
app.command(rich_help_panel=PEOPLE)(edit)
app.command(rich_help_panel=OPERATE)(backfill)
app.command(rich_help_panel=OPERATE)(retain)
teach(app)
