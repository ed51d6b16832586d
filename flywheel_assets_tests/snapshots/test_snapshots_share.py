"""Copies of a snapshot for others: whole they equal it, masked they hold nobody's words and nobody's name."""

from pathlib import Path

import duckdb
import pytest

from flywheel_assets.snapshots.build import Snapshot
from flywheel_assets.snapshots.share import COPIED, share
from flywheel_assets.tables.catalogue import TABLES
from flywheel_assets.tables.table import Table

NAMES = [(table, column.name) for table in TABLES for column in table.columns if column.private == "name"]
WORDS = [(table, column.name) for table in TABLES for column in table.columns if column.private == "words"]


def rows(path: Path, question: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(question).fetchall()


def ordered(table: Table) -> str:
    return f'FROM "{table.name}" ORDER BY {", ".join(f"{name!r}".replace(chr(39), chr(34)) for name in table.key)}'


def test_a_whole_copy_equals_the_snapshot_and_stands_alone(snapshot: Snapshot, tmp_path: Path):
    counted = share(snapshot.path, tmp_path / "copy.duckdb", "duckdb", masked=False)
    assert {name: n for name, n in counted.items() if name != "snapshot_manifest"} == snapshot.rows
    for table in TABLES:
        assert rows(tmp_path / "copy.duckdb", ordered(table)) == rows(snapshot.path, ordered(table))
    views = rows(tmp_path / "copy.duckdb", "SELECT view_name FROM duckdb_views() WHERE NOT internal")
    assert ("raw_spans",) not in views
    for (view,) in views:
        asked = f"SELECT count(*) FROM {view}"
        assert rows(tmp_path / "copy.duckdb", asked) == rows(snapshot.path, asked)


def test_parquet_gives_every_row_back(snapshot: Snapshot, tmp_path: Path):
    counted = share(snapshot.path, tmp_path / "copy", "parquet", masked=False)
    assert sorted(path.stem for path in (tmp_path / "copy").iterdir()) == sorted(table.name for table in COPIED)
    con = duckdb.connect()
    assert counted == {
        table.name: con.sql(f"SELECT count(*) FROM '{tmp_path}/copy/{table.name}.parquet'").fetchall()[0][0]
        for table in COPIED
    }


def said(path: Path, columns: list[tuple[Table, str]]) -> set[str]:
    """Every value of these columns that is long enough to be told from a number."""
    found = {
        value
        for table, name in columns
        for (value,) in rows(path, f'SELECT DISTINCT "{name}"::VARCHAR FROM "{table.name}"')
    }
    return {value for value in found if value and len(value) > 5}


def test_a_masked_copy_holds_no_words_and_no_names(snapshot: Snapshot, tmp_path: Path):
    share(snapshot.path, tmp_path / "copy.duckdb", "duckdb", masked=True)
    share(snapshot.path, tmp_path / "copy", "csv", masked=True)
    # Labelers are authors too, and named in columns that are not private.
    public = [(table, column.name) for table in TABLES for column in table.columns if column.private is None]
    private = said(snapshot.path, WORDS + NAMES) - said(snapshot.path, public)
    assert private
    everything = [(table, column.name) for table in TABLES for column in table.columns]
    assert said(tmp_path / "copy.duckdb", everything) & private == set()
    for table, name in WORDS:
        assert rows(tmp_path / "copy.duckdb", f'SELECT count("{name}") FROM "{table.name}"') == [(0,)]
    assert not rows(tmp_path / "copy.duckdb", "SELECT table_name FROM duckdb_tables() WHERE comment IS NULL")
    text = "\n".join(path.read_text(encoding="utf-8") for path in (tmp_path / "copy").iterdir())
    longest = sorted(private, key=len)[-100:]
    assert [value for value in longest if value in text] == []


def test_names_stay_equal_within_a_copy_and_differ_from_copy_to_copy(snapshot: Snapshot, tmp_path: Path):
    for name in ("one", "two"):
        share(snapshot.path, tmp_path / f"{name}.duckdb", "duckdb", masked=True)
    users = "SELECT count(DISTINCT principal_id), count(DISTINCT unit_id) FROM agent_runs"
    assert rows(tmp_path / "one.duckdb", users) == rows(snapshot.path, users)
    each = "SELECT DISTINCT principal_id FROM agent_runs WHERE principal_id IS NOT NULL"
    assert not set(rows(tmp_path / "one.duckdb", each)) & set(rows(tmp_path / "two.duckdb", each))
    joined = "SELECT count(*) FROM decision_arguments JOIN agent_runs USING (run_id, unit_id)"
    assert rows(tmp_path / "one.duckdb", joined) == rows(snapshot.path, joined)


def test_a_copy_is_never_written_over_and_a_failed_one_leaves_nothing(snapshot: Snapshot, tmp_path: Path):
    (tmp_path / "there").mkdir()
    with pytest.raises(FileExistsError, match="never written over"):
        share(snapshot.path, tmp_path / "there", "csv", masked=False)
    (tmp_path / "broken.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(duckdb.Error):
        share(tmp_path / "broken.duckdb", tmp_path / "out", "parquet", masked=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.duckdb", "there"]
