"""What changed between two snapshots, row by row."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from flywheel_assets.cli.app import app
from flywheel_assets.lake.lake import Lake
from flywheel_assets.snapshots.build import Snapshot, build_snapshot
from flywheel_assets.snapshots.compare import Change, compare
from flywheel_assets.tables.statements import SKILL_NAMES

AT = datetime(2026, 11, 9, 12, 0, 0, tzinfo=UTC)


def names(*pairs: tuple[str, str]) -> list[dict[str, object]]:
    return [{"pattern": pattern, "skill": skill} for pattern, skill in pairs]


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    lake = Lake(str(tmp_path / "lake"))
    lake.overwrite(SKILL_NAMES, SKILL_NAMES.rows(names(("a*", "x"), ("b*", "y"), ("c*", "z"))))
    first = build_snapshot(lake, tmp_path / "snapshots", AT)
    lake.overwrite(SKILL_NAMES, SKILL_NAMES.rows(names(("a*", "x"), ("b*", "other"), ("d*", "z"), ("e*", "z"))))
    return first.path, build_snapshot(lake, tmp_path / "snapshots", AT + timedelta(hours=1)).path


def test_rows_are_told_apart_by_key(two):
    (change,), entries = compare(*two)
    assert change == Change("skill_names", (1, 2), (3, 4), added=2, removed=1, changed=1)
    assert entries == []


def test_a_snapshot_does_not_differ_from_itself(snapshot: Snapshot):
    assert compare(snapshot.path, snapshot.path) == ([], [])


def test_decisions_that_only_the_later_file_has_are_listed(snapshot: Snapshot, tmp_path: Path):
    empty = build_snapshot(Lake(str(tmp_path / "lake")), tmp_path / "snapshots", AT)
    _, entries = compare(empty.path, snapshot.path)
    with duckdb.connect(str(snapshot.path), read_only=True) as con:
        ledger = con.execute("SELECT entry_id, kind FROM promotion_decisions ORDER BY seq").fetchall()
    assert [(entry.entry_id, entry.kind) for entry in entries] == ledger
    assert ledger


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ("DROP TABLE skill_names", "only the later file has it"),
        ("ALTER TABLE skill_names RENAME skill TO task", "columns that differ are not compared: skill, task"),
    ],
)
def test_what_cannot_be_compared_is_said(two, tmp_path: Path, change: str, note: str):
    older = tmp_path / "older.duckdb"
    older.write_bytes(two[0].read_bytes())
    with duckdb.connect(str(older)) as con:
        # A view may stand in the way of the change, as it would in a file of another version.
        for (view,) in con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
            con.execute(f"DROP VIEW {view}")
        con.execute(change)
    (found,), _ = compare(older, two[1])
    assert (found.table, found.note) == ("skill_names", note)


def test_by_default_the_newest_is_compared_with_the_one_before(two):
    asked = ["snapshot", "diff", "--data", str(two[0].parent.parent)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0
    assert "skill_names" in done.stdout
    assert CliRunner().invoke(app, [*asked[:2], "none-such", *asked[2:]]).exit_code == 3
