"""The DuckDB file: complete, commented, published whole, kept for a while."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.snapshots.audit import AuditError, audit
from flywheel_assets.snapshots.build import Snapshot, build_snapshot
from flywheel_assets.snapshots.retention import dated, prune
from flywheel_assets.tables.catalogue import BY_NAME, TABLES
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.skill_scores import SKILL_SCORES

AT = datetime(2026, 11, 9, 12, 0, 0, tzinfo=UTC)
VIEWS = sorted(
    path.stem for path in (Path(sys.modules[build_snapshot.__module__].__file__ or "").parent / "views").iterdir()
)


def ask(path: Path, question: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(question).fetchall()


def score(mean: float) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(("runs", "admitted", "missing", "immature", "refused"), 1)
    row |= {"skill": "s", "arm": "m|-|-", "model": "m", "effective_n": 1.0, "mean": mean, "score": mean}
    return row | {"standing": "unranked", "reason": "few runs", "first_day": AT.date(), "last_day": AT.date()}


@pytest.fixture
def small(tmp_path: Path) -> Lake:
    """A lake with one table that has one row."""
    lake = Lake(str(tmp_path / "lake"))
    lake.overwrite(SKILL_SCORES, SKILL_SCORES.rows([score(0.5)]))
    return lake


@pytest.mark.parametrize("name", [table.name for table in TABLES])
def test_each_table_equals_the_lake_at_the_pinned_version(made_up_lake: Lake, snapshot: Snapshot, name: str):
    table = BY_NAME[name]
    columns, order = ", ".join(f'"{n}"' for n in table.names), ", ".join(f'"{n}"' for n in table.key)
    with duckdb.connect(str(snapshot.path), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        found = con.execute(f'SELECT {columns} FROM "{name}" ORDER BY {order}').to_arrow_table().cast(table.schema)
    assert found.equals(made_up_lake.read(table, version=snapshot.versions.get(name)))
    assert snapshot.rows[name] == found.num_rows


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_answers_on_a_full_and_on_an_empty_lake(snapshot: Snapshot, tmp_path: Path, name: str):
    empty = build_snapshot(Lake(str(tmp_path / "lake")), tmp_path / "published", AT)
    assert len(ask(snapshot.path, f"FROM {name}")) > 0
    assert sum(row[-1] if name == "funnel" else 1 for row in ask(empty.path, f"FROM {name}")) == 0


def test_everything_has_a_comment_that_comes_from_the_tables(snapshot: Snapshot):
    comments = dict(ask(snapshot.path, "SELECT table_name || '.' || column_name, comment FROM duckdb_columns()"))
    assert comments["raw_spans.duration_ns"] == "End minus start; NULL when the span has no end yet [ns]"
    assert comments["skill_scores.arm"] == "Arm"
    assert all(comments[key] for key in comments if key.partition(".")[0] in {*BY_NAME, *VIEWS})
    assert dict(ask(snapshot.path, "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal"))["raw_spans"]


def test_raw_spans_are_a_view_on_the_lake_and_copied_when_portable(made_up_lake: Lake, tmp_path: Path):
    portable = build_snapshot(made_up_lake, tmp_path, AT + timedelta(hours=1), portable=True)
    tables = {name for (name,) in ask(portable.path, "SELECT table_name FROM duckdb_tables()")}
    assert "raw_spans" in tables
    assert ask(portable.path, "SELECT count(*) FROM raw_spans") == [(portable.rows["raw_spans"],)]


def test_required_columns_are_not_null(snapshot: Snapshot):
    found = ask(
        snapshot.path, "SELECT column_name FROM duckdb_columns() WHERE table_name = 'momentum' AND NOT is_nullable"
    )
    assert [name for (name,) in found] == [c.name for c in BY_NAME["momentum"].columns if c.required]


def test_the_manifest_names_the_versions_beside_and_inside_the_file(made_up_lake: Lake, snapshot: Snapshot):
    beside = json.loads(snapshot.path.with_suffix(".json").read_text())
    inside = dict(ask(snapshot.path, "SELECT table_name, table_version FROM snapshot_manifest"))
    assert beside["versions"] == snapshot.versions == {name: v for name, v in inside.items() if v is not None}
    assert beside["rows"] == snapshot.rows
    assert made_up_lake.pins()["snapshot/20261109T120000"] == snapshot.versions
    assert snapshot.path.name == "20261109T120000.duckdb"


def test_a_snapshot_of_chosen_versions_is_what_the_lake_was(small: Lake, tmp_path: Path):
    old = small.versions([SKILL_SCORES])
    small.overwrite(SKILL_SCORES, SKILL_SCORES.rows([score(0.9)]))
    first = build_snapshot(small, tmp_path / "s", AT, versions=old)
    second = build_snapshot(small, tmp_path / "s", AT + timedelta(seconds=1))
    assert ask(first.path, "SELECT mean FROM skill_scores") == [(0.5,)]
    assert ask(second.path, "SELECT mean FROM skill_scores") == [(0.9,)]
    assert ask(tmp_path / "s" / "current.duckdb", "SELECT mean FROM skill_scores") == [(0.9,)]


def test_a_second_snapshot_of_the_same_second_is_refused(small: Lake, tmp_path: Path):
    build_snapshot(small, tmp_path / "s", AT)
    with pytest.raises(FileExistsError, match="never overwritten"):
        build_snapshot(small, tmp_path / "s", AT)


READER = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
print(con.execute("SELECT mean FROM skill_scores").fetchall()[0][0], flush=True)
sys.stdin.readline()
print(con.execute("SELECT mean, count(*) OVER () FROM skill_scores").fetchall()[0], flush=True)
"""


def test_a_reader_with_the_old_file_open_is_not_disturbed(small: Lake, tmp_path: Path):
    current = tmp_path / "s" / "current.duckdb"
    build_snapshot(small, current.parent, AT)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(current)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "0.5\n"
        small.overwrite(SKILL_SCORES, SKILL_SCORES.rows([score(0.9)]))
        build_snapshot(small, current.parent, AT + timedelta(minutes=1))
        assert ask(current, "SELECT mean FROM skill_scores") == [(0.9,)]
        assert reader.communicate("\n")[0] == "(0.5, 1)\n"


def test_a_log_left_beside_the_old_file_is_not_applied_to_the_new_one(small: Lake, tmp_path: Path):
    build_snapshot(small, tmp_path / "s", AT)
    (tmp_path / "s" / "current.duckdb.wal").write_bytes(b"left by a crash")
    build_snapshot(small, tmp_path / "s", AT + timedelta(minutes=1))
    assert ask(tmp_path / "s" / "current.duckdb", "SELECT mean FROM skill_scores") == [(0.5,)]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM momentum WHERE block = 1", "momentum has"),
        ("COMMENT ON COLUMN skill_scores.arm IS NULL", "column skill_scores.arm has no comment"),
        ("COMMENT ON VIEW funnel IS NULL", "view funnel has no comment"),
        ("DROP TABLE skill_scores", "skill_scores"),
        ("ALTER TABLE skill_scores DROP COLUMN p50_seconds", "p50_seconds"),
    ],
)
def test_the_audit_refuses_a_file_that_is_not_what_the_lake_holds(
    made_up_lake: Lake, snapshot: Snapshot, tmp_path: Path, damage: str, said: str
):
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(snapshot.path.read_bytes())
    with duckdb.connect(str(damaged)) as con:
        con.execute(damage)
    assert audit(made_up_lake, snapshot.path, snapshot.versions) == snapshot.rows
    with pytest.raises(AuditError, match=said):
        audit(made_up_lake, damaged, snapshot.versions)


def test_what_fails_its_audit_is_not_published(small: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "s"
    first = build_snapshot(small, folder, AT)

    def refuse(*_: object) -> dict[str, int]:
        raise AuditError("damaged")

    monkeypatch.setattr("flywheel_assets.snapshots.audit.audit", refuse)
    with pytest.raises(AuditError):
        build_snapshot(small, folder, AT + timedelta(minutes=1))
    assert sorted(path.name for path in folder.iterdir()) == [
        first.path.name,
        first.path.stem + ".json",
        "current.duckdb",
    ]


def test_only_the_newest_snapshots_stay_and_the_others_release_their_versions(small: Lake, tmp_path: Path):
    for minute in range(4):
        build_snapshot(small, tmp_path / "s", AT + timedelta(minutes=minute), keep=2)
    kept = [path.stem for path in dated(tmp_path / "s")]
    assert kept == ["20261109T120300", "20261109T120200"]
    assert sorted(small.pins()) == [f"snapshot/{stamp}" for stamp in sorted(kept)]
    assert len(list((tmp_path / "s").glob("*.json"))) == 2


def test_what_a_killed_build_left_goes_and_what_others_need_stays(small: Lake, tmp_path: Path):
    versions = small.versions([SKILL_SCORES])
    for name in ("snapshot/20261101T000000", "snapshot/20261109T115900", "decision/20261101T000000"):
        small.pin(name, versions, AT)
    for stamp in ("20261101T000000", "20261109T115900"):
        (tmp_path / f".building-{stamp}-1.duckdb").touch()
    prune(small, tmp_path, 2, AT)
    assert sorted(small.pins()) == ["decision/20261101T000000", "snapshot/20261109T115900"]
    assert [path.name for path in tmp_path.glob(".building-*")] == [".building-20261109T115900-1.duckdb"]


def test_a_snapshot_of_a_lake_on_an_object_store_has_its_spans_inside(made_up_lake: Lake, tmp_path: Path):
    remote = Lake(f"file://{made_up_lake.root}")
    found = build_snapshot(remote, tmp_path, AT + timedelta(hours=2))
    assert "raw_spans" in {name for (name,) in ask(found.path, "SELECT table_name FROM duckdb_tables()")}
    assert found.rows[RAW_SPANS.name] > 0


def test_the_file_is_in_the_storage_version_that_duckdb_1_5_reads(snapshot: Snapshot):
    header = snapshot.path.read_bytes()[:64]
    # After the checksum: magic bytes, then the storage version as a little-endian integer; 64 is v0.9–v1.x.
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") <= 65


def test_what_was_said_is_packed_as_text_that_does_not_repeat(snapshot: Snapshot):
    used = dict(
        ask(
            snapshot.path,
            "SELECT column_name, string_agg(DISTINCT compression) FROM pragma_storage_info('labeled_examples') "
            "WHERE segment_type = 'VARCHAR' AND count > 0 GROUP BY ALL",
        )
    )
    assert used["input_text"] == used["output_text"] == "ZSTD" != used["run_id"]
