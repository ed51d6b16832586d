"""The graph says of itself what tables/ says: keys, groups, dependencies, contracts, words."""

import json
import subprocess
import sys

import dagster as dg
import pytest

from flywheel_assets.defs.assembly import NOTIFIERS, STAGE_MODULES, assemble
from flywheel_assets.defs.graph import dependencies, turns_back
from flywheel_assets.defs.jobs import ARRIVAL, LEARNING, SNAPSHOT
from flywheel_assets.defs.metadata import column_lineage
from flywheel_assets.defs.partitions import mapping
from flywheel_assets.defs.pollers import asset_of
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.sources.per_source import SOURCES
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.catalogue import BY_NAME, STAGES, TABLES
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.steps import DAY_STEPS, FOLD_RUNS, LABEL, LAND, PROPOSE_ROUTES, WHOLE_STEPS, Read

STEPS = (LAND, *DAY_STEPS, *WHOLE_STEPS)
DEFS = assemble(WheelResource())
OF_SOURCES = {asset_of(source) for source in SOURCES}
SPECS = {spec.key.to_user_string(): spec for spec in DEFS.resolve_all_asset_specs()}


def test_dagster_can_load_the_graph() -> None:
    dg.Definitions.validate_loadable(DEFS)


def test_a_run_starts_without_what_few_turns_use() -> None:
    heavy = ["sklearn", "scipy.stats", "scipy.optimize", "httpx", "typesense", "litellm", "mlflow", "inngest"]
    code = "import json, sys, flywheel_assets.definitions; print(json.dumps(list(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert [name for name in heavy if name in loaded] == []


def test_every_table_and_source_is_an_asset_and_the_snapshot_is_the_only_other_one() -> None:
    assert set(SPECS) == {*BY_NAME, *OF_SOURCES, SNAPSHOT}


def test_the_two_jobs_split_the_graph_and_the_turn_is_both() -> None:
    assert sorted([*ARRIVAL, *LEARNING]) == sorted(SPECS)
    everything = {key.to_user_string() for key in DEFS.resolve_job_def("turn").asset_layer.selected_asset_keys}
    assert everything == set(SPECS)


@pytest.mark.parametrize("name", sorted(SPECS))
def test_an_asset_says_what_a_row_is_who_owns_it_and_what_to_do_when_it_is_red(name: str) -> None:
    spec = SPECS[name]
    assert spec.group_name in STAGES
    assert spec.owners
    assert spec.kinds
    assert spec.code_version
    assert "**When a check is red:**" in (spec.description or "")
    if name in BY_NAME:
        table = BY_NAME[name]
        assert (spec.group_name, spec.partitions_def is not None) == (table.stage, table.by_day)
        assert [column.name for column in spec.metadata["dagster/column_schema"].columns] == table.names
        assert table.row in (spec.description or "")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_an_asset_depends_on_what_its_step_reads_of_this_turn(step) -> None:
    reads = {read.table.name for read in step.reads if not turns_back(step, read)}
    # The graph stays legible: of what landing writes, the index alone comes straight from the sources.
    landed = {"landed_batches": OF_SOURCES, "span_rejections": {"landed_batches"}}
    for table in step.writes:
        wanted = landed.get(table.name, set()) if step is LAND else reads
        assert {dep.asset_key.to_user_string() for dep in SPECS[table.name].deps} == wanted


def test_only_candidates_read_what_a_later_stage_left_in_the_turn_before() -> None:
    back = {(step.name, read.table.name) for step in STEPS for read in step.reads if turns_back(step, read)}
    later = {("propose_routes", "promotion_decisions"), ("propose_prompts", "promotion_decisions")}
    assert back == later | {("label", "anchored_opinions")}
    assert "promotion_decisions" not in {dep.asset_key.to_user_string() for dep in dependencies(PROPOSE_ROUTES)}


@pytest.mark.parametrize(
    ("read", "by_day", "wanted"),
    [
        (Read(LANDED_BATCHES), True, None),
        (Read(PROMOTION_DECISIONS), False, None),
        (Read(RAW_SPANS), False, dg.AllPartitionMapping()),
        (Read(RAW_SPANS, before=1, after=2), True, (-1, 2, True)),
    ],
    ids=["not partitioned", "whole to whole", "days to whole", "days around a day"],
)
def test_what_a_step_reads_decides_the_partition_mapping(read: Read, by_day: bool, wanted: object) -> None:
    found = mapping(read, by_day=by_day)
    if isinstance(found, dg.TimeWindowPartitionMapping):
        found = (found.start_offset, found.end_offset, found.allow_nonexistent_upstream_partitions)
    assert found == wanted


def test_the_day_before_the_calendar_and_the_day_after_today_hold_nobody_back() -> None:
    graph = DEFS.resolve_asset_graph()
    days = graph.get(dg.AssetKey("agent_runs")).partitions_def.get_partition_keys()
    for day in (days[0], days[-1]):
        subset = graph.get(dg.AssetKey("agent_runs")).partitions_def.subset_with_partition_keys([day])
        found = mapping(FOLD_RUNS.reads[0], by_day=True).get_upstream_mapped_partitions_result_for_partitions(
            subset,
            graph.get(dg.AssetKey("agent_runs")).partitions_def,
            graph.get(dg.AssetKey("raw_spans")).partitions_def,
        )
        assert not found.required_but_nonexistent_subset.get_partition_keys()


def test_columns_that_are_carried_over_have_lineage() -> None:
    lineage = column_lineage(LABEL, LABELED_EXAMPLES)
    assert lineage is not None
    assert {dep.asset_key.to_user_string() for dep in lineage.deps_by_column["arm"]} == {AGENT_RUNS.name}
    assert "outcome" not in lineage.deps_by_column


def test_every_table_has_a_contract_and_every_stage_a_check() -> None:
    keys = DEFS.resolve_asset_graph().asset_check_keys
    assert {key.asset_key.to_user_string() for key in keys if key.name == "contract"} == {
        table.name for table in TABLES
    }
    groups = {SPECS[key.asset_key.to_user_string()].group_name for key in keys if key.name != "contract"}
    assert groups == set(STAGES)


def test_every_sensor_and_schedule_runs_from_the_start_but_for_those_that_tell_people() -> None:
    told = {sensor.name for sensor in NOTIFIERS}
    started = {sensor.name: sensor.default_status is dg.DefaultSensorStatus.RUNNING for sensor in DEFS.sensors}
    assert started == {name: name not in told for name in started}
    assert {schedule.default_status for schedule in DEFS.schedules} == {dg.DefaultScheduleStatus.RUNNING}


def test_wiring_modules_are_the_stages() -> None:
    assert [module.__name__.rpartition(".")[2] for module in STAGE_MODULES] == list(STAGES)
