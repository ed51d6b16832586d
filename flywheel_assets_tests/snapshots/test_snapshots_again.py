"""A snapshot that starts from the one before is the file that would have been built anew."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.snapshots import build
from flywheel_assets.snapshots.build import build_snapshot
from flywheel_assets.snapshots.retention import dated
from flywheel_assets.tables.catalogue import BY_NAME, TABLES
from flywheel_assets.tables.table import Table

AT = datetime(2026, 11, 9, 12, 0, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)
THIRD = date(2026, 11, 3)
REJECTIONS, RAW_SPANS, SCORES = BY_NAME["rejections"], BY_NAME["raw_spans"], BY_NAME["skill_scores"]


@pytest.fixture
def lake(made_up_lake: Lake, tmp_path: Path) -> Lake:
    """A copy that a test may change."""
    shutil.copytree(made_up_lake.root, tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[date] | None]:
    """What the builds since copied: the days by table, None for all of a table."""
    seen: dict[str, list[date] | None] = {}
    real: Callable[..., None] = build._bring  # pyright: ignore[reportPrivateUsage]

    def bring(con: duckdb.DuckDBPyConnection, plan: object, table: Table, days: list[date] | None) -> None:
        seen[table.name] = days
        real(con, plan, table, days)

    monkeypatch.setattr(build, "_bring", bring)
    return seen


def assert_equal_to_the_lake(lake: Lake, path: Path) -> None:
    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        for table in TABLES:
            order = ", ".join(f'"{name}"' for name in table.key)
            found = con.execute(f'SELECT * FROM "{table.name}" ORDER BY {order}').to_arrow_table().cast(table.schema)
            assert found.equals(lake.read(table)), table.name


def fewer(lake: Lake, table: Table, day: date | None) -> None:
    """Half of the day's (or the table's) rows go."""
    rows = lake.read(table, None if day is None else [day])
    lake.overwrite(table, rows.slice(0, rows.num_rows // 2), day)


@pytest.mark.parametrize(
    ("change", "copied"),
    [
        pytest.param(lambda _: None, {}, id="nothing"),
        pytest.param(lambda lake: fewer(lake, REJECTIONS, THIRD), {"rejections": [THIRD]}, id="a day"),
        pytest.param(
            lambda lake: lake.overwrite(REJECTIONS, REJECTIONS.empty(), THIRD), {"rejections": [THIRD]}, id="a day gone"
        ),
        pytest.param(
            lambda lake: [fewer(lake, REJECTIONS, day) for day in lake.days(REJECTIONS)], {"rejections": None}, id="all"
        ),
        pytest.param(lambda lake: fewer(lake, SCORES, None), {"skill_scores": None}, id="a table without days"),
        pytest.param(lambda lake: fewer(lake, RAW_SPANS, THIRD), {"raw_spans": None}, id="the view"),
    ],
)
def test_only_what_changed_is_copied_and_the_file_equals_the_lake(
    lake: Lake,
    tmp_path: Path,
    brought: dict[str, list[date] | None],
    change: Callable[[Lake], object],
    copied: dict[str, list[date] | None],
):
    build_snapshot(lake, tmp_path / "s", AT)
    brought.clear()
    change(lake)
    second = build_snapshot(lake, tmp_path / "s", LATER)
    assert brought == copied
    assert_equal_to_the_lake(lake, second.path)
    inside = duckdb.connect(str(second.path), read_only=True).execute("SELECT DISTINCT built_at FROM snapshot_manifest")
    assert [at.astimezone(UTC) for (at,) in inside.fetchall()] == [LATER]


def write_to(path: Path) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE skill_scores SET runs = 0")


def other_layout(path: Path) -> None:
    manifest = path.with_suffix(".json")
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "layout": "other"}))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(write_to, id="written to"),
        pytest.param(os.utime, id="touched"),
        pytest.param(other_layout, id="of another layout"),
        pytest.param(lambda path: path.with_suffix(".json").unlink(), id="without a manifest"),
    ],
)
def test_a_file_that_may_not_be_what_was_published_is_not_built_upon(
    lake: Lake, tmp_path: Path, brought: dict[str, list[date] | None], spoil: Callable[[Path], None]
):
    spoil(build_snapshot(lake, tmp_path / "s", AT).path)
    brought.clear()
    second = build_snapshot(lake, tmp_path / "s", LATER)
    assert brought == dict.fromkeys(BY_NAME)
    assert_equal_to_the_lake(lake, second.path)


def test_a_lake_that_was_begun_anew_is_not_mistaken_for_the_old_one(lake: Lake, tmp_path: Path):
    build_snapshot(lake, tmp_path / "s", AT)
    rows = lake.read(SCORES)
    shutil.rmtree(Path(lake.root) / SCORES.name)
    again = Lake(lake.root)
    again.overwrite(SCORES, rows.slice(0, 1))
    second = build_snapshot(again, tmp_path / "s", LATER)
    assert second.rows["skill_scores"] == 1


def test_a_file_with_its_spans_inside_is_not_built_upon_one_without(lake: Lake, tmp_path: Path):
    build_snapshot(lake, tmp_path / "s", AT)
    second = build_snapshot(lake, tmp_path / "s", LATER, portable=True)
    with duckdb.connect(str(second.path), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'raw_spans'").fetchall() == [(1,)]


def test_the_file_does_not_grow_by_being_built_upon(lake: Lake, tmp_path: Path):
    sizes: list[int] = []
    rows = lake.read(REJECTIONS, [THIRD])
    for minute in range(12):
        lake.overwrite(REJECTIONS, rows.slice(minute), THIRD)
        sizes.append(build_snapshot(lake, tmp_path / "s", AT + timedelta(minutes=minute), keep=2).bytes)
    assert len(dated(tmp_path / "s")) == 2
    assert max(sizes) < 1.5 * sizes[0]
