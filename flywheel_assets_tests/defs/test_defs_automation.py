"""Automation policies, tick by tick."""

import dagster as dg
import pytest

from flywheel_assets.defs.automation import when_content_changes

DAYS = dg.DailyPartitionsDefinition(start_date="2026-01-01", end_date="2026-01-04", timezone="UTC")


def graph() -> dg.Definitions:
    @dg.asset(partitions_def=DAYS)
    def stats() -> None: ...

    @dg.asset(
        deps=[dg.AssetDep("stats", partition_mapping=dg.AllPartitionMapping())],
        automation_condition=when_content_changes(),
    )
    def scores() -> None: ...

    return dg.Definitions([stats, scores])


def report(instance: dg.DagsterInstance, asset: str, content: str, day: str | None = None) -> None:
    instance.report_runless_asset_event(
        dg.AssetMaterialization(asset, partition=day, tags={"dagster/data_version": content})
    )


# What happens before each tick, and how much the tick asks for.
TICKS = [
    ("nothing was ever built", [], 0),
    ("the first day is built, two are missing", [("stats", "a", "2026-01-01")], 1),
    ("the scores were computed", [("scores", "s", None)], 0),
    ("the day is rebuilt with the same rows", [("stats", "a", "2026-01-01")], 0),
    ("the day is rebuilt with other rows", [("stats", "b", "2026-01-01")], 1),
    ("the scores were computed again", [("scores", "s", None)], 0),
    ("a second day comes", [("stats", "a", "2026-01-02")], 1),
]


def test_when_content_changes_asks_when_rows_differ_and_only_then(instance: dg.DagsterInstance) -> None:
    cursor, asked = None, {}
    definitions = graph()
    for words, events, _ in TICKS:
        for asset, content, day in events:
            report(instance, asset, content, day)
        result = dg.evaluate_automation_conditions(definitions, instance, dg.AssetSelection.all(), cursor=cursor)
        cursor, asked[words] = result.cursor, result.total_requested
    assert asked == {words: wanted for words, _, wanted in TICKS}


@pytest.mark.parametrize("policy", [when_content_changes])
def test_a_policy_has_a_name_for_people_and_a_reason(policy) -> None:
    assert policy().get_label()
    assert policy.__doc__
