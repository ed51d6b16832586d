"""docs/commands.md from the commands themselves: `python -m flywheel_assets.cli.reference > docs/commands.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from flywheel_assets.cli.app import app
from flywheel_assets.cli.examples import EXAMPLES

ABOUT = Path(__file__).with_name("reference.md")


def commands() -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    """Every command that does something, by the words that call it."""
    for name, command in get_command(app).commands.items():  # pyright: ignore[reportAttributeAccessIssue]
        children = getattr(command, "commands", {})
        if not children or getattr(command, "invoke_without_command", False):
            yield name, command
        for child, inner in children.items():
            yield f"{name} {child}", inner


def reference() -> str:
    """The page."""
    return "\n".join([ABOUT.read_text(encoding="utf-8"), *(_section(*one) for one in commands())])


def _section(name: str, command: TyperCommand | TyperGroup) -> str:
    parts = [f"## flywheel {name}\n", f"{(command.help or '').strip()}\n"]
    if name in EXAMPLES:
        parts.append("```\n" + "\n".join(EXAMPLES[name]) + "\n```\n")
    known = (one for one in command.params if isinstance(one, TyperArgument | TyperOption))
    own = [one for one in known if one.name not in {"data", "lake", "as_json", "help"}]
    if own:
        parts += ["| | | |", "|---|---|---|", *(_row(one) for one in own), ""]
    return "\n".join(parts)


def _row(parameter: TyperArgument | TyperOption) -> str:
    option = parameter.param_type_name == "option"
    name = ", ".join((*parameter.opts, *parameter.secondary_opts)) if option else parameter.name.upper()
    default = parameter.default
    stated = not (parameter.required or callable(default) or default in {None, "", False, True})
    given = [f"`{parameter.envvar}`"] if option and parameter.envvar else []
    given += ["needed"] if parameter.required else [f"else {default}"] if stated else []
    words = (getattr(parameter, "help", None) or "").replace("|", "\\|")
    return f"| `{name}` | {words} | {', '.join(given)} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
