"""README says what is so: its stages, tables, paths and commands exist, its snippets run."""

import re
from pathlib import Path

import duckdb
import pytest
import yaml
from typer.main import get_command

from flywheel_assets.cli.app import app
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.catalogue import BY_NAME, STAGES
from flywheel_assets.tables.documents.skills_file import SkillsFile

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BEYOND_TABLES = {"duckdb_snapshot"}


def snippets(language: str) -> list[str]:
    """The fenced blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def stage_rows() -> dict[str, str]:
    """README's stage table: stage → what it gives."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", README, re.MULTILINE)
    return dict(rows)


def test_the_stage_table_names_every_stage_in_order_and_every_table_under_its_stage() -> None:
    rows = stage_rows()
    assert tuple(rows) == STAGES
    told = {name: stage for stage, gives in rows.items() for name in re.findall(r"`(\w+)`", gives)}
    assert told == {name: table.stage for name, table in BY_NAME.items()} | dict.fromkeys(BEYOND_TABLES, "snapshots")


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`flywheel ([a-z-]+)", README))))
def test_every_command_it_names_exists(command: str) -> None:
    assert command in get_command(app).commands  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^make (\w+)|`make (\w+)`", README, re.MULTILINE))))
def test_every_target_it_names_exists(target: tuple[str, str]) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{''.join(target)}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"[`(]((?:flywheel_assets|docs)[\w/.]*)[`)]", README))))
def test_every_path_it_names_exists(path: str) -> None:
    name = path if "/" in path else path.replace(".", "/")
    assert (REPOSITORY / name).exists() or path in {"flywheel_assets.labelers", "flywheel_assets.gates"}


def test_its_skills_file_is_valid() -> None:
    for snippet in snippets("yaml"):
        assert SkillsFile.model_validate(yaml.safe_load(snippet)).skills


def test_its_agent_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (snippet,) = snippets("python")
    asked: list[str] = []
    names = {"session_id": "s-1", "my_prompt": "p", "ticket": "t", "call": lambda model, *_: asked.append(model)}
    exec(compile(snippet, "README.md", "exec"), names)
    assert asked == ["openai/gpt-5.4-mini"]


def test_its_queries_run_on_a_snapshot(turned: Places) -> None:
    with duckdb.connect(str(turned.snapshots / "current.duckdb"), read_only=True) as con:
        for snippet in snippets("sql"):
            for query in filter(str.strip, snippet.split(";")):
                con.execute(query).fetchall()
