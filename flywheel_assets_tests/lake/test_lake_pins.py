"""What vacuum may delete, and what pins keep."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.example_signatures import EXAMPLE_SIGNATURES

FIRST = date(2026, 1, 1)
NOW = datetime(2026, 1, 9, tzinfo=UTC)
NOTHING_KEPT = timedelta(0)


def overwrite(lake: Lake, shift: int, tag: str) -> tuple[int, list[str]]:
    """Rewrite one day with two rows; the version, and every id that the table then has."""
    day = FIRST + timedelta(days=shift)
    fixed = {"day": day, "scope": "s", "content_hash": "h", "minhash": [1], "start_time": NOW}
    rows = EXAMPLE_SIGNATURES.rows([{**fixed, "example_id": f"{tag}{n}"} for n in range(2)])
    return lake.overwrite(EXAMPLE_SIGNATURES, rows, day).version, ids(lake)


def ids(lake: Lake, version: int | None = None) -> list[str]:
    return lake.read(EXAMPLE_SIGNATURES, version=version).column("example_id").to_pylist()


def files(lake: Lake) -> int:
    return len(list(Path(lake.root).glob("example_signatures/day=*/*.parquet")))


def test_a_pinned_version_is_readable_after_vacuum_and_gone_after_unpin(lake: Lake):
    overwrite(lake, 0, "a")
    pinned, seen = overwrite(lake, 1, "b")
    overwrite(lake, 0, "c")
    newest = overwrite(lake, 1, "d")[1]
    lake.pin("snapshot/1", {EXAMPLE_SIGNATURES.name: pinned}, NOW)
    lake.vacuum([EXAMPLE_SIGNATURES], NOTHING_KEPT, dry_run=False)
    assert (ids(lake, pinned), ids(lake)) == (seen, newest)
    lake.unpin("snapshot/1")
    assert lake.pins() == {}
    lake.vacuum([EXAMPLE_SIGNATURES], NOTHING_KEPT, dry_run=False)
    assert ids(lake) == newest
    with pytest.raises(Exception, match=r"(?i)no files found|not found|nosuchkey|no such"):
        ids(lake, pinned)


def test_a_dry_vacuum_names_the_files_and_deletes_none(tmp_path: Path):
    lake = Lake(str(tmp_path))
    for tag in "abc":
        overwrite(lake, 0, tag)
    assert len(lake.vacuum([EXAMPLE_SIGNATURES], NOTHING_KEPT)["example_signatures"]) == 2
    assert files(lake) == 3


def test_vacuum_keeps_what_was_replaced_within_the_time_to_keep_rounded_up(tmp_path: Path):
    lake = Lake(str(tmp_path))
    for tag in "abc":
        overwrite(lake, 0, tag)
    assert lake.vacuum([EXAMPLE_SIGNATURES], timedelta(minutes=1), dry_run=False) == {"example_signatures": []}
    assert files(lake) == 3


def test_two_pins_of_one_version_are_released_one_by_one(lake: Lake):
    pinned, seen = overwrite(lake, 0, "a")
    overwrite(lake, 0, "b")
    for name in ("snapshot/1", "decision/o'clock"):
        lake.pin(name, {EXAMPLE_SIGNATURES.name: pinned}, NOW)
    lake.unpin("decision/o'clock")
    lake.vacuum([EXAMPLE_SIGNATURES], NOTHING_KEPT, dry_run=False)
    assert lake.pins() == {"snapshot/1": {EXAMPLE_SIGNATURES.name: pinned}}
    assert ids(lake, pinned) == seen


def test_a_pin_made_twice_is_one_pin(tmp_path: Path):
    lake = Lake(str(tmp_path))
    for _ in range(2):
        lake.pin("snapshot/1", {"agent_runs": 3, "feedback": 1}, NOW)
    assert lake.pins() == {"snapshot/1": {"agent_runs": 3, "feedback": 1}}


@settings(deadline=None, max_examples=12)
@given(writes=st.lists(st.integers(0, 2), min_size=2, max_size=7), data=st.data())
def test_whatever_was_written_every_pinned_version_survives_vacuum(tmp_path_factory, writes, data):
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    versions = [overwrite(lake, shift, f"{turn}/") for turn, shift in enumerate(writes)]
    kept = data.draw(st.lists(st.sampled_from(versions), max_size=3, unique_by=lambda each: each[0]))
    for version, _ in kept:
        lake.pin(f"decision/{version}", {EXAMPLE_SIGNATURES.name: version}, NOW)
    lake.vacuum([EXAMPLE_SIGNATURES], NOTHING_KEPT, dry_run=False)
    assert [ids(lake, version) for version, _ in kept] == [seen for _, seen in kept]
    assert ids(lake) == versions[-1][1]
