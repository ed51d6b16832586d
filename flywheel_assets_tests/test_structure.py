"""The house keeps its plan: one noun per stage, imports one way, budgets."""

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from flywheel_assets.defs.assembly import STAGE_MODULES
from flywheel_assets.tables.catalogue import STAGES, TABLES

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "flywheel_assets"
TESTS = REPOSITORY / "flywheel_assets_tests"
MODULES = sorted(PACKAGE.rglob("*.py"))
PACKAGES = sorted(path for path in MODULES if path.name == "__init__.py")


def named(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_one_noun_per_stage_everywhere() -> None:
    stages = set(STAGES)
    assert {table.stage for table in TABLES} == stages
    assert {module.__name__.rpartition(".")[2] for module in STAGE_MODULES} == stages
    assert stages <= {path.parent.name for path in PACKAGES}
    assert stages <= {path.name for path in TESTS.iterdir() if any(path.glob("test_*.py"))}


def contracts_hold(root: Path) -> tuple[bool, str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, env={"PYTHONPATH": str(root)}, check=False)
    return done.returncode == 0, done.stdout + done.stderr


# Where a forbidden import is planted, and what refuses it.
PLANTED = [
    ("runs/fold.py", "import flywheel_assets.scores.score", "What passes between layers goes one way"),
    ("tables/table.py", "import flywheel_assets.lake.lake", "What passes between layers goes one way"),
    ("scores/score.py", "import dagster", "Only the wiring imports Dagster"),
    ("client/client.py", "import flywheel_assets.tables.table", "The client imports nothing of the package"),
    ("receiver/door.py", "import flywheel_assets.lake.lake", "The receiver knows the spool and nothing else"),
    ("replay/fleet.py", "import flywheel_assets.cli.app", "Nobody imports the command line"),
]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("house")
    shutil.copytree(PACKAGE, root / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / ".importlinter", root)
    return root


def test_the_import_contracts_hold(copied: Path) -> None:
    held, said = contracts_hold(copied)
    assert held, said


@pytest.mark.parametrize(("module", "planted", "contract"), PLANTED, ids=[case[0] for case in PLANTED])
def test_a_planted_import_is_refused(module: str, planted: str, contract: str, copied: Path) -> None:
    path = copied / PACKAGE.name / module
    kept = path.read_text()
    path.write_text(f"{kept}\n{planted}\n")
    try:
        held, said = contracts_hold(copied)
    finally:
        path.write_text(kept)
    assert not held
    assert any(contract in line and "BROKEN" in line for line in said.splitlines()), said


@pytest.mark.parametrize("path", PACKAGES, ids=named)
def test_a_package_says_what_belongs_there_and_holds_nothing_else(path: Path) -> None:
    body = ast.parse(path.read_text()).body
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert 2 <= len(docstring.splitlines()) <= 8, docstring
    assert len(body) == 1


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_keeps_its_budget(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert ast.get_docstring(tree)
    assert len(text.splitlines()) <= 300
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in functions
        if node.end_lineno is not None and node.end_lineno - node.lineno >= 50
    }
    assert long == {}


def test_modules_are_short_as_a_rule() -> None:
    lengths = sorted(len(path.read_text().splitlines()) for path in MODULES if path.name != "__init__.py")
    assert lengths[len(lengths) // 2] <= 130


def test_names_that_say_nothing_are_not_used() -> None:
    assert [named(path) for path in MODULES if path.stem in {"utils", "helpers", "common", "misc"}] == []


def test_one_dagster_is_pinned_for_core_and_webserver() -> None:
    wanted = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
    pins = {name.partition("==")[2] for name in wanted if name.startswith("dagster")}
    assert len(pins) == 1
    assert "" not in pins


def test_the_instance_settings_of_the_repository_are_those_of_the_package() -> None:
    assert (REPOSITORY / "dagster.yaml").read_text() == (PACKAGE / "defs" / "dagster.yaml").read_text()
