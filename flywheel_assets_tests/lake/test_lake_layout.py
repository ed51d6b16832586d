"""A table that gains columns: what was written before can be read, in every version, beside what is written now."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.example_signatures import EXAMPLE_SIGNATURES
from flywheel_assets.tables.table import REAL, TEXTS, Column

DAY, NEXT = date(2026, 1, 1), date(2026, 1, 2)
ADDED = (Column("certainty", REAL, "How certain."), Column("tags", TEXTS, "What it is filed under."))
WIDER = replace(EXAMPLE_SIGNATURES, columns=(*EXAMPLE_SIGNATURES.columns, *ADDED))
FIXED = {"scope": "s", "content_hash": "h", "minhash": [1, 2], "start_time": datetime(2026, 1, 1, tzinfo=UTC)}


def narrow(lake: Lake, *days: date) -> int:
    for day in days:
        written = lake.overwrite(
            EXAMPLE_SIGNATURES, EXAMPLE_SIGNATURES.rows([{"day": day, "example_id": "a", **FIXED}]), day
        )
    return written.version


def wide(lake: Lake, day: date) -> None:
    row = {"day": day, "example_id": "b", "certainty": 0.5, "tags": ["x"], **FIXED}
    lake.overwrite(WIDER, WIDER.rows([row]), day)


def seen(lake: Lake, version: int | None = None) -> list[tuple[object, ...]]:
    rows = lake.read(WIDER, version=version).to_pylist()
    return [(row["example_id"], row["certainty"], row["tags"]) for row in rows]


def test_rows_from_before_a_column_was_added_have_null_in_it(lake: Lake):
    narrow(lake, DAY)
    assert seen(lake) == [("a", None, None)]


def test_days_from_before_and_after_are_read_together(lake: Lake):
    before = narrow(lake, DAY, NEXT)
    wide(lake, NEXT)
    assert seen(lake) == [("a", None, None), ("b", 0.5, ["x"])]
    assert seen(lake, before) == [("a", None, None)] * 2
    assert seen(Lake(lake.root, lake.storage_options)) == seen(lake)


def test_a_query_for_the_new_column_alone_finds_it(lake: Lake):
    narrow(lake, DAY)
    wide(lake, NEXT)
    con = lake.connect([WIDER])
    assert con.sql(f"SELECT certainty FROM {WIDER.name} WHERE certainty > 0").fetchall() == [(0.5,)]
    assert con.sql(f"SELECT count(*) FROM {WIDER.name} WHERE day = DATE '{DAY}'").fetchall() == [(1,)]


def test_code_from_before_still_reads_what_it_knows(lake: Lake):
    wide(lake, DAY)
    assert lake.read(EXAMPLE_SIGNATURES).column("example_id").to_pylist() == ["b"]


def test_a_column_is_added_once(tmp_path: Path):
    lake = Lake(str(tmp_path))
    narrow(lake, DAY)
    wide(lake, DAY)
    versions = lake.version(WIDER)
    wide(Lake(str(tmp_path)), NEXT)
    assert lake.version(WIDER) == (versions or 0) + 1


def test_rows_can_be_appended_to_a_table_that_gained_a_column(lake: Lake):
    flat = replace(EXAMPLE_SIGNATURES, by_day=False)
    lake.append(flat, flat.rows([{"day": DAY, "example_id": "a", **FIXED}]), key="a")
    wider = replace(WIDER, by_day=False)
    lake.append(wider, wider.rows([{"day": DAY, "example_id": "b", "certainty": 0.5, "tags": [], **FIXED}]), key="b")
    assert [row["certainty"] for row in lake.read(wider).to_pylist()] == [None, 0.5]


@pytest.mark.parametrize("uniform_before", [True, False])
def test_whether_all_files_have_every_column_is_known(tmp_path: Path, uniform_before: bool):
    lake = Lake(str(tmp_path))
    table = EXAMPLE_SIGNATURES if uniform_before else WIDER
    narrow(lake, DAY)
    opened = lake.open(table)
    assert opened is not None
    assert lake.uniform(table, opened) is uniform_before
