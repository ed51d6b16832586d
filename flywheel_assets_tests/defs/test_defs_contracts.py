"""Contracts are seen to hold and to break, cost what is new, and stay red until mended."""

from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from flywheel_assets.defs.contracts import audit, contract, judge
from flywheel_assets.defs.renewed import RED, VERSIONS, Last, renewed
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Verdict
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.run_spans import RUN_SPANS

DAYS = [date(2026, 1, 1), date(2026, 1, 2)]


def rows(day: date, *spans: str, role: str | None = "root") -> pa.Table:
    return RUN_SPANS.rows(
        [{"day": day, "span_day": day, "trace_id": "t", "span_id": span, "role": role} for span in spans]
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    found = Lake(str(tmp_path))
    for day in DAYS:
        found.overwrite(RUN_SPANS, rows(day, "1", "2"), day)
    return found


def around(lake: Lake, data: pa.Table) -> None:
    """Write past the lake's own door, as a bug or another engine would."""
    write_deltalake(lake.uri(RUN_SPANS), data, mode="append", partition_by=["day"])


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        (None, []),
        (rows(DAYS[1], "2"), [(DAYS[1], "repeats the key", 1)]),
        (rows(DAYS[0], "3", role=None), [(DAYS[0], "no role", 1)]),
    ],
    ids=["as the lake writes them", "a key twice", "a required column empty"],
)
def test_rows_that_break_the_contract_are_counted_by_day(lake: Lake, wrong: pa.Table | None, faults: list) -> None:
    if wrong is not None:
        around(lake, wrong)
    assert [(fault.day, fault.what, fault.rows) for fault in audit(lake, RUN_SPANS).faults] == faults


def again(lake: Lake, last: Last | None = None) -> Last:
    """Judged, and what is known of it the next time."""
    versions = lake.versions([RUN_SPANS])
    return Last(judge(lake, RUN_SPANS, last), versions)


def test_only_days_that_changed_are_read_again(lake: Lake) -> None:
    seen = again(lake)
    assert (seen.verdict.found["rows read"], again(lake, seen).verdict.found["rows read"]) == (4, 0)
    lake.overwrite(RUN_SPANS, rows(DAYS[1], "1", "2", "3"), DAYS[1])
    assert again(lake, seen).verdict.found["rows read"] == 3


def test_a_day_stays_red_until_it_is_mended_though_others_changed(lake: Lake) -> None:
    around(lake, rows(DAYS[0], "1"))
    first = again(lake)
    lake.overwrite(RUN_SPANS, rows(DAYS[1], "9"), DAYS[1])
    second = again(lake, first)
    assert (first.verdict.passed, second.verdict.passed, second.verdict.found[RED]) == (False, False, ["2026-01-01"])
    lake.overwrite(RUN_SPANS, rows(DAYS[0], "1"), DAYS[0])
    assert again(lake, second).verdict.passed


def test_a_table_whose_older_state_was_put_back_is_read_again_as_a_whole(lake: Lake) -> None:
    later = Last(Verdict(passed=True, found={}), {RUN_SPANS.name: 99})
    assert again(lake, later).verdict.found["rows read"] == 4


def test_what_was_said_last_holds_as_long_as_nothing_was_written(tmp_path: Path, lake: Lake) -> None:
    wheel, check = WheelResource(data="unused", lake_url=str(tmp_path)), contract(RUN_SPANS)
    with dg.DagsterInstance.ephemeral() as instance:

        def said() -> Verdict:
            verdict = check.judge(wheel, instance)
            instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    dg.AssetKey(check.asset), check.name, passed=verdict.passed, metadata=verdict.found
                )
            )
            return verdict

        first, second = said(), said()
        around(lake, rows(DAYS[0], "1"))
        third, fourth = said(), said()
    assert first == second
    assert (first.passed, first.found["rows read"], first.found[VERSIONS]) == (True, 4, lake_version(lake, -1))
    assert third == fourth
    assert (third.passed, third.found["rows read"], third.found[VERSIONS]) == (False, 3, lake_version(lake, 0))


@pytest.mark.usefixtures("lake")
def test_what_another_rule_said_last_does_not_hold(tmp_path: Path) -> None:
    wheel, read = WheelResource(data="unused", lake_url=str(tmp_path)), list[Last | None]()

    def look(_wheel: WheelResource, last: Last | None) -> Verdict:
        read.append(last)
        return Verdict(passed=True, found={})

    with dg.DagsterInstance.ephemeral() as instance:
        for promise in ("a key", "a key", "a key and a role"):
            found = renewed(RUN_SPANS.name, "looked", promise, [RUN_SPANS], look).judge(wheel, instance).found
            instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(dg.AssetKey(RUN_SPANS.name), "looked", passed=True, metadata=found)
            )
    assert read == [None, None]


def lake_version(lake: Lake, shift: int) -> dict[str, int]:
    return {RUN_SPANS.name: (lake.version(RUN_SPANS) or 0) + shift}


def test_a_table_that_was_never_written_keeps_its_contract(tmp_path: Path) -> None:
    assert judge(Lake(str(tmp_path)), RUN_SPANS, None).passed
