"""The command line teaches: its page is generated, its examples parse, wrong usage is told, shells can complete it."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flywheel_assets.cli.app import app
from flywheel_assets.cli.examples import EXAMPLES
from flywheel_assets.cli.reference import commands, reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
KNOWN = dict(commands())
LINES = [(name, line) for name, lines in EXAMPLES.items() for line in lines]


def test_the_page_is_generated() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize(("name", "line"), LINES, ids=[line for _, line in LINES])
def test_an_example_is_understood(name: str, line: str) -> None:
    words = shlex.split(re.sub(r"^([A-Z_]+=\S+ )+", "", line))
    called = ["flywheel", *name.split()]
    assert words[: len(called)] == called
    KNOWN[name].make_context(name, words[len(called) :])


def test_examples_and_exit_codes_are_under_the_help() -> None:
    assert "flywheel backfill 2026-01-01 2026-12-31" in CliRunner().invoke(app, ["backfill", "--help"]).stdout
    assert "Exit codes" in CliRunner().invoke(app, ["--help"]).stdout


@pytest.mark.parametrize(
    ("words", "named", "told"),
    [
        (["backfill", "--jsn", "--json"], "backfill", "--jsn"),
        (["labels", "nope", "--json"], "labels nope", "nope"),
        (["nope", "--json"], "nope", "nope"),
        (["why", "--json"], "why", "WHAT"),
        (["status", "here", "--json"], "status", "here"),
    ],
)
def test_wrong_usage_is_told_in_the_envelope_too(words: list[str], named: str, told: str) -> None:
    done = CliRunner().invoke(app, words)
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["ok"], answer["error"]["code"], answer["command"]) == (2, False, 2, named)
    assert told.lower() in answer["error"]["message"].lower()
    assert CliRunner().invoke(app, words[:-1]).stdout == ""


@pytest.mark.parametrize(("typed", "offered"), [("flywheel dec", "decisions"), ("flywheel labels a", "answer")])
def test_a_shell_is_offered_what_fits(typed: str, offered: str) -> None:
    environ = {
        **os.environ,
        "_FLYWHEEL_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
    }
    flywheel = str(Path(sys.executable).parent / "flywheel")
    done = subprocess.run([flywheel], env=environ, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [offered]
