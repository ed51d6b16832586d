"""One way to answer: words for a person, one JSON envelope for a program, one exit code for a script.

The envelope is `{ok, command, result, error, next_actions}`. Exit codes: 0 done; 1 it ran and
something is red; 2 wrong usage; 3 what was asked for does not exist; 4 a precondition is missing.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console, RenderableType

# In a pipe nothing is broken or cut off: `grep` reads lines.
PIPED = 400
RED, USAGE, NOT_FOUND, NOT_READY = 1, 2, 3, 4


class RefusedError(Exception):
    """The command cannot do what was asked; says why and what to do instead."""

    def __init__(self, message: str, next_actions: Sequence[str] = (), code: int = NOT_READY) -> None:
        super().__init__(message)
        self.next_actions = tuple(next_actions)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found: `result` for programs, `shown` for people."""

    result: object
    shown: Sequence[RenderableType] = ()
    next_actions: Sequence[str] = ()
    ok: bool = True


def respond(command: str, as_json: bool, work: Callable[[], Answer]) -> None:
    """Do the work and answer; leaves with the exit code that fits."""
    try:
        answer = work()
    except RefusedError as refused:
        _refuse(command, as_json, refused)
    if as_json:
        write_envelope(command, answer.ok, answer.result, None, answer.next_actions)
    else:
        console = Console(width=None if sys.stdout.isatty() else PIPED)
        for part in answer.shown:
            console.print(part)
        for action in answer.next_actions:
            console.print(f"→ {action}", style="dim", highlight=False)
    if not answer.ok:
        raise typer.Exit(RED)


def _refuse(command: str, as_json: bool, refused: RefusedError) -> NoReturn:
    if as_json:
        write_envelope(command, False, None, {"message": str(refused), "code": refused.code}, refused.next_actions)
    else:
        console = Console(stderr=True)
        console.print(f"[red]✗[/red] {refused}", highlight=False)
        for action in refused.next_actions:
            console.print(f"→ {action}", style="dim", highlight=False)
    raise typer.Exit(refused.code)


def write_envelope(command: str, ok: bool, result: object, error: object, next_actions: Sequence[str]) -> None:
    """One line of JSON on standard output. Commands that stay (`up`, `receive`) also write one when they are ready."""
    envelope = {"ok": ok, "command": command, "result": result, "error": error, "next_actions": list(next_actions)}
    sys.stdout.write(json.dumps(envelope, default=_plain, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer")
