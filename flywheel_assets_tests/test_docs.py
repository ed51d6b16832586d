"""The pages in docs/ say what is so: links lead somewhere, queries and examples run, commands exist."""

import importlib
import json
import re
import shutil
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from typer.main import get_command

from flywheel_assets.cli.app import app
from flywheel_assets.decisions.trial import Conditions, Passed, Trial, Undecided
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.gate_verdicts import GATE_VERDICTS
from flywheel_assets.tables.label_votes import LABEL_VOTES
from flywheel_assets_tests.conftest import DAYS, MODELS, attribute, run_spans
from flywheel_assets_tests.decisions.test_criteria import evidence, registration

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = sorted((REPOSITORY / "docs").glob("*.md"))
PAGES = [*DOCS, *sorted(REPOSITORY.glob("*.md"))]
EXTENDING = REPOSITORY / "docs" / "extending.md"


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What a `#` may point at, as GitHub names headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_its_links_lead_somewhere(page: Path):
    wrong = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"https?://|mailto:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            wrong.append(link)
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_it_names_exist(page: Path):
    commands = get_command(app).commands  # pyright: ignore[reportAttributeAccessIssue]
    named = re.findall(r"^flywheel ([a-z-]+)|`flywheel ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert {"".join(name) for name in named} - set(commands) == set()


QUERIES = [(page, query) for page in DOCS for query in blocks(page, "sql")]


@pytest.mark.parametrize(("page", "query"), QUERIES, ids=[f"{p.stem}-{n}" for n, (p, _) in enumerate(QUERIES)])
def test_its_queries_run_on_a_snapshot(turned: Places, page: Path, query: str):
    with duckdb.connect(str(turned.snapshots / "current.duckdb"), read_only=True) as con:
        con.execute(query).fetchall()
        assert con.description, page.name


@pytest.fixture
def own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's examples, installed as the package that it describes."""
    package = tmp_path / "site" / "my_rules"
    package.mkdir(parents=True)
    for block in blocks(EXTENDING, "python"):
        where, code = block.split("\n", 1)
        if where.startswith("# my_rules/"):
            (package.parent / where.removeprefix("# ")).write_text(code, encoding="utf-8")
    declared = "\n".join(blocks(EXTENDING, "toml")).replace('[project.entry-points."', "[").replace('"]', "]")
    about = tmp_path / "site" / "my_rules-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-rules\nVersion: 1\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(declared.replace('"', ""), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    importlib.invalidate_caches()
    yield
    for name in [name for name in sys.modules if name.startswith("my_rules")]:
        del sys.modules[name]


def write_night_runs(places: Places) -> None:
    """Runs of the usual sort, moved to three in the morning; what they answered, each third has reopened."""
    said = [{"role": "assistant", "parts": [{"type": "text", "content": "Ticket REOPENED."}]}]
    spans = [span for number in range(12) for span in run_spans(DAYS[0], number)]
    for number, span in enumerate(spans):
        for name in ("startTimeUnixNano", "endTimeUnixNano"):
            span[name] = str(int(span[name]) - 6 * 3600 * 10**9)
        if number % 6 == 0:
            span["attributes"].append(attribute("gen_ai.output.messages", json.dumps(said)))
    places.inbox.mkdir(parents=True)
    request = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": spans}]}]}
    (places.inbox / "night.jsonl").write_text(json.dumps(request) + "\n", encoding="utf-8")


@pytest.mark.usefixtures("own_rules")
def test_rules_of_another_package_take_part_in_a_turn(tmp_path: Path):
    places = Places(tmp_path / "data")
    write_night_runs(places)
    places.skills_file.write_text(f"skills: {{triage: {{baseline_model: {MODELS[0]}}}}}\n", encoding="utf-8")
    assert turn_the_wheel(places).failed == []
    lake = Lake(places.lake)
    verdicts = lake.read(GATE_VERDICTS).to_pylist()
    assert {row["reason"] for row in verdicts if row["gate"] == "office_hours"} == {"night"}
    votes = [row["value"] for row in lake.read(LABEL_VOTES).to_pylist() if row["labeler"] == "ticket_reopened"]
    assert votes == [0.0] * 4
    assert (places.artifacts / "exports" / "model_list.txt").read_text() == f"triage {MODELS[0]}\n"


@pytest.mark.parametrize(("days", "answer"), [(1, Undecided), (3, Passed)])
def test_the_criterion_of_the_page_holds_until_there_are_enough_days(days: int, answer: type):
    (block,) = [block for block in blocks(EXTENDING, "python") if "criteria/enough_days" in block]
    module = types.ModuleType("enough_days")
    exec(compile(block, "extending.md", "exec"), module.__dict__)
    found = evidence(30)
    dated = [f"2026-03-0{1 + number % days}" for number in range(30)]
    rows = found.rows.set_column(found.rows.column_names.index("day"), "day", [dated])
    trial = Trial(registration(), type(found)(rows, {}), Conditions(predecessor_known=True))
    assert module.applies(trial.registration)
    assert isinstance(module.check(trial), answer)


def test_the_site_is_built_of_them_without_a_warning(tmp_path: Path):
    shutil.copytree(REPOSITORY / "docs", tmp_path / "docs")
    shutil.copy(REPOSITORY / "mkdocs.yml", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    missing = [page.stem for page in DOCS if page.stem != "README" and not (tmp_path / "site" / page.stem).is_dir()]
    assert missing == []
