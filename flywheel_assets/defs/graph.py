"""From the steps of `tables/steps.py` to asset specs: dependencies, mappings, contracts, words."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import dagster as dg

from flywheel_assets.defs.metadata import KINDS, OWNER, definition_metadata
from flywheel_assets.defs.partitions import mapping
from flywheel_assets.tables.catalogue import STAGES
from flywheel_assets.tables.steps import Read, Step
from flywheel_assets.tables.table import Table

# A step's tables are written in one go, and a month of days in one run. Before a run starts, Dagster writes an event
# for each of its days and tables: for a year that took minutes, and the run was given up.
DAYS_A_RUN = 31
BACKFILL = dg.BackfillPolicy.multi_run(DAYS_A_RUN)

# Tags of the ops that artifacts do not wait for, checks among them: where several can run, the others run first.
ASIDE = {"dagster/priority": "-1"}


def turns_back(step: Step, read: Read) -> bool:
    """Whether the read closes the wheel: what an earlier turn left, or earlier days, so no edge of the graph."""
    return read.table in step.writes or STAGES.index(read.table.stage) > STAGES.index(step.stage)


def dependencies(step: Step) -> list[dg.AssetDep]:
    """The tables that must be up to date before the step, with the days that it reads of each."""
    return [
        dg.AssetDep(read.table.name, partition_mapping=mapping(read, by_day=step.by_day))
        for read in step.reads
        if not turns_back(step, read)
    ]


def specs(
    step: Step,
    red: Mapping[str, str],
    *,
    automation_condition: dg.AutomationCondition[dg.AssetKey] | None = None,
    fresh_within: timedelta | None = None,
    kinds: Sequence[str] = (),
) -> list[dg.AssetSpec]:
    """One spec per table of the step. `red`: by table, what to do when one of its checks is red."""
    return [
        dg.AssetSpec(
            key=table.name,
            deps=dependencies(step),
            description=describe(step, table, red[table.name]),
            metadata=definition_metadata(step, table),
            group_name=table.stage,
            code_version=step.version,
            owners=[OWNER],
            kinds={*KINDS, *kinds},
            tags={"grain": "day" if table.by_day else "whole"},
            automation_condition=automation_condition,
            freshness_policy=dg.FreshnessPolicy.time_window(fail_window=fresh_within) if fresh_within else None,
        )
        for table in step.writes
    ]


def describe(step: Step, table: Table, red: str) -> str:
    """What a row is, what the step reads, and what to do when a check is red."""
    back = [read.table.name for read in step.reads if turns_back(step, read)]
    return "\n\n".join(
        [
            f"**A row:** {table.row}",
            f"**Key:** {', '.join(f'`{name}`' for name in table.key)}",
            *(
                [f"**Also reads** what earlier turns or days left in {', '.join(f'`{name}`' for name in back)}."]
                * bool(back)
            ),
            f"**When a check is red:** {red}",
        ]
    )
