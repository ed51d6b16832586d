"""What people type: examples that `--help` and docs/commands.md show. A test parses each."""

import typer

EXAMPLES: dict[str, tuple[str, ...]] = {
    "up": ("flywheel up", "flywheel up --port 3001 --otlp-http 0 --otlp-grpc 0"),
    "receive": ("FLYWHEEL_TOKEN=… flywheel receive --host 0.0.0.0",),
    "ingest": (
        "flywheel ingest traces/*.jsonl",
        "flywheel ingest history/ --move",
        "flywheel ingest ~/.claude/projects --keep-content",
    ),
    "poll": ("flywheel poll", "flywheel poll restate inngest"),
    "run": ("flywheel run", "flywheel run --json"),
    "judge": ("FLYWHEEL_JUDGE_MODEL=openai/gpt-5.4-mini flywheel judge --most 20",),
    "status": ("flywheel status", "flywheel status --json"),
    "why": ("flywheel why triage", "flywheel why openai/gpt-5.4-mini"),
    "used-by": ("flywheel used-by 4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7",),
    "demo": ("flywheel demo --data /tmp/demo",),
    "replay": (
        "flywheel replay outcomes.csv --column arm=engine --column outcome=score",
        "flywheel replay outcomes.parquet --mode trials --baseline small --runs 3000",
    ),
    "edit": ("FLYWHEEL_EDIT_MODEL=openai/gpt-5.4 flywheel edit triage",),
    "backfill": (
        "flywheel backfill 2026-01-01 2026-12-31",
        "flywheel backfill 2026-03-01 2026-03-01 --asset agent_runs",
    ),
    "retain": ("flywheel retain", "flywheel retain --apply --lake-days 90"),
    "report": ("flywheel report", "flywheel report --from previous --out before.html"),
    "decisions list": ("flywheel decisions list --skill triage",),
    "decisions show": ("flywheel decisions show 8c1f2a",),
    "decisions verify": ("flywheel decisions verify",),
    "decisions replay": ("flywheel decisions replay 8c1f2a",),
    "decisions approve": (
        "flywheel decisions approve EXPERIMENT --by ann",
        "flywheel decisions approve EXPERIMENT --by ann --refuse",
    ),
    "decisions reject": ("flywheel decisions reject EXPERIMENT --by ann",),
    "decisions rollback": ("flywheel decisions rollback triage --by ann",),
    "review list": ("flywheel review list --gate injection --share 0.1",),
    "review release": ("flywheel review release EXAMPLE --by ann --comment 'a quotation'",),
    "labels list": ("flywheel labels list anchors",),
    "labels answer": ("flywheel labels answer anchors RUN fail --by ann --correction 'Refund it.'",),
    "labels export": ("flywheel labels export anchors questions.csv --most 50",),
    "labels ingest": ("flywheel labels ingest questions.csv",),
    "snapshot diff": ("flywheel snapshot diff", "flywheel snapshot diff 20261109T120000 current"),
    "snapshot export": (
        "flywheel snapshot export fleet --format parquet",
        "flywheel snapshot export public.duckdb --masked",
    ),
}


def teach(app: typer.Typer, group: str = "") -> None:
    """Put the examples under the help of each command, and of each group's."""
    for command in app.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "").replace("_", "-")
        shown = EXAMPLES.get(f"{group} {name}".strip(), ())
        # Typer joins lines, unless an empty one is between them.
        command.epilog = "\n\n".join(["Examples:", *(f"  {one}" for one in shown)]) if shown else None
    for one in app.registered_groups:
        if one.typer_instance is not None and one.name:
            teach(one.typer_instance, one.name)
