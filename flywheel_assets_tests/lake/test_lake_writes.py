"""Overwriting days and appending once, alone and from several processes."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_assets.lake.fingerprint import fingerprint
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.overwrite import Fresh
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.example_signatures import EXAMPLE_SIGNATURES

DAY, NEXT, LAST = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)


def signatures(day: date, ids: Sequence[str]) -> pa.Table:
    fixed = {"scope": "s", "content_hash": "h", "minhash": [1, 2], "start_time": datetime(2026, 1, 1, tzinfo=UTC)}
    return EXAMPLE_SIGNATURES.rows([{"day": day, "example_id": name, **fixed} for name in ids])


def argument(run_id: str) -> pa.Table:
    fixed = {"entry_id": "e", "experiment_id": "x", "trace_id": "t", "root_span_id": "r", "unit_id": "u"}
    return DECISION_ARGUMENTS.rows([{**fixed, "run_id": run_id, "side": "candidate", "outcome": 1.0, "weight": 0.1}])


def processes(lake: Lake, *arguments: Sequence[str]) -> list[list[int | None]]:
    """Run `lake_writer.py` once per argument list, all at the same time; what each printed."""
    script = str(Path(__file__).with_name("lake_writer.py"))
    started = [
        subprocess.Popen(
            [sys.executable, script, lake.root, json.dumps(lake.storage_options), *each],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for each in arguments
    ]
    finished = [(process, *process.communicate(timeout=120)) for process in started]
    assert [(process.returncode, said) for process, _, said in finished] == [(0, "")] * len(arguments)
    return [json.loads(out) for _, out, _ in finished]


def ids(lake: Lake, days: Sequence[date] | None = None, version: int | None = None) -> list[str]:
    return lake.read(EXAMPLE_SIGNATURES, days, version).column("example_id").to_pylist()


def test_a_day_is_replaced_and_the_other_days_stay(lake: Lake):
    lake.overwrite(EXAMPLE_SIGNATURES, signatures(DAY, ["a", "b"]), DAY)
    lake.overwrite(EXAMPLE_SIGNATURES, signatures(NEXT, ["c"]), NEXT)
    written = lake.overwrite(EXAMPLE_SIGNATURES, signatures(DAY, ["d"]), DAY)
    assert (written.rows, written.day, written.version) == (1, DAY, lake.version(EXAMPLE_SIGNATURES))
    assert ids(lake) == ["c", "d"]
    assert ids(lake, days=[NEXT]) == ["c"]
    assert lake.days(EXAMPLE_SIGNATURES) == [DAY, NEXT]


def test_an_old_version_reads_as_it_was(lake: Lake):
    first = lake.overwrite(EXAMPLE_SIGNATURES, signatures(DAY, ["a", "b"]), DAY)
    lake.overwrite(EXAMPLE_SIGNATURES, signatures(DAY, ["c"]), DAY)
    assert ids(lake, version=first.version) == ["a", "b"]
    assert ids(lake, version=first.version, days=[NEXT]) == []
    assert ids(lake) == ["c"]


def test_a_day_can_be_emptied(lake: Lake):
    lake.overwrite(EXAMPLE_SIGNATURES, signatures(DAY, ["a"]), DAY, inputs="1")
    written = lake.overwrite(EXAMPLE_SIGNATURES, signatures(DAY, []), DAY, inputs="2")
    assert (written.rows, written.changed) == (0, True)
    assert (ids(lake), lake.days(EXAMPLE_SIGNATURES)) == ([], [])
    assert lake.stamps(EXAMPLE_SIGNATURES, [DAY]) == {DAY: f"{2:015x}"}


def test_parts_are_written_under_the_fingerprint_they_bring(lake: Lake):
    data = signatures(DAY, ["a", "b"])
    parts = (partial(signatures, DAY, [name]) for name in "ab")
    written = lake.overwrite(EXAMPLE_SIGNATURES, parts, DAY, content=fingerprint(data))
    assert (written.rows, ids(lake)) == (2, ["a", "b"])
    assert not lake.overwrite(EXAMPLE_SIGNATURES, data, DAY).changed


@pytest.mark.parametrize(
    ("inputs", "written"),
    [("2", False), ("1", True)],
    ids=["other inputs gave the same rows", "asked for again, to mend a file"],
)
def test_rows_that_are_there_already_are_written_again_only_from_the_same_inputs(
    lake: Lake, inputs: str, written: bool
):
    first = lake.overwrite(EXAMPLE_SIGNATURES, signatures(DAY, ["a", "b"]), DAY, inputs="1")
    lake.overwrite(EXAMPLE_SIGNATURES, signatures(NEXT, ["c"]), NEXT, inputs="1")
    files = lake.files(EXAMPLE_SIGNATURES)
    again = lake.overwrite(EXAMPLE_SIGNATURES, signatures(DAY, ["b", "a"]), DAY, inputs=inputs)
    assert (again.changed, again.rows, again.fingerprint) == (False, 2, first.fingerprint)
    assert again.version == lake.version(EXAMPLE_SIGNATURES) == first.version + 2
    assert lake.stamps(EXAMPLE_SIGNATURES, [DAY]) == {DAY: f"{int(inputs):015x}"}
    assert ids(lake) == ["a", "b", "c"]
    assert (lake.files(EXAMPLE_SIGNATURES) != files) is written


def test_after_many_commits_old_versions_stamps_and_append_keys_are_still_known(lake: Lake):
    versions = [
        lake.overwrite(EXAMPLE_SIGNATURES, signatures(DAY, [str(n)]), DAY, inputs=str(n)).version for n in range(12)
    ]
    assert [ids(lake, version=version) for version in versions] == [[str(n)] for n in range(12)]
    assert lake.stamps(EXAMPLE_SIGNATURES, [DAY]) == {DAY: f"{0x11:015x}"}
    assert [lake.append(DECISION_ARGUMENTS, argument(str(n)), key=str(n)) is None for n in range(12)] == [False] * 12
    assert lake.append(DECISION_ARGUMENTS, argument("again"), key="0") is None


@pytest.mark.parametrize(
    ("table", "data", "day", "said"),
    [
        (EXAMPLE_SIGNATURES, signatures(DAY, ["a"]), None, "is written by day"),
        (DECISION_ARGUMENTS, argument("r"), DAY, "is not written by day"),
        (DECISION_ARGUMENTS, argument("r").drop_columns(["side"]), None, "missing columns"),
        (DECISION_ARGUMENTS, iter([partial(argument, "r")]), None, "need their fingerprint"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, table, data, day, said):
    with pytest.raises(ValueError, match=said):
        Lake(str(tmp_path)).overwrite(table, data, day)


def test_a_table_never_written_has_no_rows_no_version_and_no_days(lake: Lake):
    assert lake.read(DECISION_ARGUMENTS) == DECISION_ARGUMENTS.empty()
    assert (lake.version(DECISION_ARGUMENTS), lake.files(DECISION_ARGUMENTS)) == (None, [])
    assert (lake.days(EXAMPLE_SIGNATURES), lake.fingerprint(EXAMPLE_SIGNATURES, DAY)) == ([], None)
    assert lake.versions([DECISION_ARGUMENTS]) == {}


def test_days_written_at_once_by_several_processes_are_all_kept(lake: Lake):
    processes(lake, *(["overwrite", str(shift), "4"] for shift in range(4)))
    con = lake.connect([EXAMPLE_SIGNATURES])
    counted = con.sql("SELECT day, count(*) FROM example_signatures GROUP BY day ORDER BY day").fetchall()
    assert counted == [(DAY + timedelta(days=shift), 4) for shift in range(4)]


def test_rows_are_appended_once_per_key(lake: Lake):
    assert lake.append(DECISION_ARGUMENTS, argument("a"), key="k") is not None
    assert lake.append(DECISION_ARGUMENTS, argument("b"), key="k") is None
    assert lake.append(DECISION_ARGUMENTS, argument("b"), key="l") is not None
    assert lake.read(DECISION_ARGUMENTS).column("run_id").to_pylist() == ["a", "b"]


def test_a_key_appended_by_several_processes_at_once_is_there_once(lake: Lake):
    said = processes(lake, *(["append", "same", f"own-{n}", "same"] for n in range(4)))
    assert sum(version is not None for versions in said for version in versions) == 5
    assert lake.read(DECISION_ARGUMENTS).column("run_id").to_pylist() == [*(f"own-{n}" for n in range(4)), "same"]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(), unique=True), st.randoms(use_true_random=False))
def test_a_fingerprint_depends_on_the_rows_and_not_on_their_order(names, random):
    shuffled = list(names)
    random.shuffle(shuffled)
    assert fingerprint(signatures(DAY, names)) == fingerprint(signatures(DAY, shuffled))
    assert fingerprint(signatures(DAY, [*names, "one more"])) != fingerprint(signatures(DAY, names))
    chunks = pa.concat_tables([signatures(DAY, names[:1]), signatures(DAY, names[1:])])
    assert fingerprint(signatures(DAY, names)) == fingerprint(chunks)


def test_several_days_are_written_at_once_and_those_that_stay_as_they_are_leave_no_file(lake: Lake):
    first = lake.overwrite(EXAMPLE_SIGNATURES, signatures(DAY, ["a", "b"]), DAY, inputs="1")
    kept = lake.files(EXAMPLE_SIGNATURES, [DAY])
    data = {DAY: signatures(DAY, ["b", "a"]), NEXT: signatures(NEXT, ["c"]), LAST: signatures(LAST, [])}
    fresh = [Fresh(day, rows, stamp) for (day, rows), stamp in zip(data.items(), "234", strict=True)]
    written = lake.commit(EXAMPLE_SIGNATURES, [lake.prepare(EXAMPLE_SIGNATURES, one) for one in fresh])
    assert [(one.day, one.rows, one.changed) for one in written] == [(DAY, 2, False), (NEXT, 1, True), (LAST, 0, True)]
    assert {one.version for one in written} == {first.version + 1}
    assert lake.files(EXAMPLE_SIGNATURES, [DAY]) == kept
    assert [one.fingerprint for one in written] == [fingerprint(rows) for rows in data.values()]
    assert lake.stamps(EXAMPLE_SIGNATURES, data) == {DAY: f"{2:015x}", NEXT: f"{3:015x}", LAST: f"{4:015x}"}
