"""The report page: self-contained, truthful about what is not known, readable on a phone."""

import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.snapshots.build import Snapshot, build_snapshot
from flywheel_assets.snapshots.report import write_report
from flywheel_assets.tables.drills import DRILLS

AT = datetime(2026, 11, 9, 8, tzinfo=UTC)
CHROMIUM = shutil.which("chromium")
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


class Links(HTMLParser):
    """Everything that a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {value}" for name, value in attrs if name in {"src", "href", "srcset"}]


@pytest.fixture(scope="module")
def page(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(snapshot.path, tmp_path_factory.mktemp("report") / "report.html", AT)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("empty")
    built = build_snapshot(Lake(str(folder / "lake")), folder / "snapshots", AT)
    return write_report(built.path, folder / "report.html", AT).read_text()


def test_the_page_fetches_nothing(page: Path):
    links = Links()
    links.feed(page.read_text())
    assert links.found == []
    assert "@import" not in page.read_text()
    assert re.findall(r"url\(", page.read_text()) == []


def test_the_page_shows_each_skill_and_each_promotion(page: Path):
    words = page.read_text()
    assert all(skill in words for skill in ("triage", "summarise", "extract-invoice"))
    assert words.count('class="tag promoted"') >= 2
    assert "2026-11-01 to 2026-11-08" in words
    assert "20261109T120000.duckdb" in words


def test_the_same_snapshot_draws_the_same_page(snapshot: Snapshot, page: Path, tmp_path: Path):
    assert write_report(snapshot.path, tmp_path / "again.html", AT).read_bytes() == page.read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        "Not measured. Nothing can be said until",
        "Nothing yet. A candidate is promoted",
        "No trial is registered yet.",
        "No arm has an admitted outcome yet.",
        "No run has been seen yet.",
        "no day to yet",
    ],
)
def test_what_is_not_known_is_said(empty: str, words: str):
    assert words in empty


@pytest.mark.parametrize(
    ("standing", "lower", "words"),
    [
        ("better", 0.01, "Yes. Production does"),
        ("worse", -0.2, "No, worse. Production does"),
        ("undecided", -0.1, "Not decided."),
    ],
)
def test_the_verdict_is_the_interval_in_words(snapshot: Snapshot, tmp_path: Path, standing, lower, words):
    changed = tmp_path / "changed.duckdb"
    shutil.copyfile(snapshot.path, changed)
    with duckdb.connect(str(changed)) as con:
        values = [standing, lower, lower + 0.18, lower + 0.09]
        con.execute("UPDATE momentum SET standing = ?, lower = ?, upper = ?, lift = ?", values)
    assert words in write_report(changed, tmp_path / "report.html", AT).read_text()


def test_what_moved_what_can_be_told_and_whether_the_test_holds_are_on_the_page(snapshot: Snapshot, tmp_path: Path):
    changed = tmp_path / "changed.duckdb"
    shutil.copyfile(snapshot.path, changed)
    drills = {
        "triage": {"promoted": 2, "observed": 0.05, "lower": 0.006, "upper": 0.17},
        "sql": {"promoted": 12, "observed": 0.3, "lower": 0.17, "upper": 0.47},
    }
    same = {"drill": "identical", "truth": "not_better", "trials": 40, "nominal": 0.05, "units": 100, "reason": "told"}
    rest = {"abandoned": 0, "undecided": 0}
    with duckdb.connect(str(changed)) as con:
        con.register(
            "rows", DRILLS.rows([{"skill": skill, **same, **rest, **drill} for skill, drill in drills.items()])
        )
        con.execute("DELETE FROM drills")
        con.execute("INSERT INTO drills BY NAME FROM rows")
    words = write_report(changed, tmp_path / "report.html", AT).read_text()
    assert "14 of 80" in words
    assert "exceeded in sql</b>" in words
    for section in ("What can be known, and when", "What moved by itself", "Does the test hold here?"):
        assert section in words


@pytest.mark.parametrize("marked", [True, False])
def test_a_simulation_says_so(snapshot: Snapshot, tmp_path: Path, marked: bool):
    changed = tmp_path / "changed.duckdb"
    shutil.copyfile(snapshot.path, changed)
    if marked:
        with duckdb.connect(str(changed)) as con:
            resource = "'{\"flywheel.simulation\":true}' AS resource_json"
            con.execute(f"CREATE TABLE spans AS SELECT * REPLACE ({resource}) FROM raw_spans")
            con.execute("DROP VIEW raw_spans")
            con.execute("ALTER TABLE spans RENAME TO raw_spans")
    words = write_report(changed, tmp_path / "report.html", AT).read_text()
    assert ("Simulation: 4,500 spans come from made-up agents." in words) == marked


def test_names_from_data_cannot_break_the_page(snapshot: Snapshot, tmp_path: Path):
    changed = tmp_path / "changed.duckdb"
    shutil.copyfile(snapshot.path, changed)
    evil = "<script>alert(1)</script>\"'&"
    with duckdb.connect(str(changed)) as con:
        for table in ("skill_scores", "momentum", "promotion_decisions", "rejections", "labeled_examples"):
            con.execute(f"UPDATE {table} SET skill = ? WHERE skill = 'triage'", [evil])
        con.execute("UPDATE skill_scores SET arm = ?, reason = ?", [evil, evil])
        con.execute("UPDATE promotion_decisions SET reason = ?, candidate_arm = ?", [evil, evil])
    assert "<script" not in write_report(changed, tmp_path / "report.html", AT).read_text()


def scrolled(page: str, width: int, folder: Path) -> str:
    """'<width of the content> of <width>', as Chromium lays the page out.

    The page is framed, because a headless window is never narrower than 500 pixels.
    """
    script = """f = document.querySelector('iframe')
    f.onload = () => { d = f.contentDocument.documentElement; document.title = d.scrollWidth + ' of ' + d.clientWidth }
    f.srcdoc = document.querySelector('template').innerHTML"""
    frame = folder / "frame.html"
    frame.write_text(
        f"<iframe style='width:{width}px;height:900px;border:0'></iframe>"
        f"<template>{page}</template><script>{script}</script>"
    )
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [str(CHROMIUM), *QUIET, profile, "--virtual-time-budget=3000", "--dump-dom", frame.as_uri()]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    return seen.partition("<title>")[2].partition("</title>")[0]


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize("width", [390, 860, 1400])
def test_the_page_fits_the_width_of_a_phone_and_of_a_desk(page: Path, tmp_path: Path, width: int):
    assert scrolled(page.read_text(), width, tmp_path) == f"{width} of {width}"


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_a_page_that_is_too_wide_would_be_seen(tmp_path: Path):
    assert scrolled("<p style='margin:0;width:700px'>wide", 390, tmp_path) == "708 of 390"
