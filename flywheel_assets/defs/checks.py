"""Asset checks, one step per stage: its tables' contracts, its accounts, and what it adds of its own.

Checks report and alarm; they gate nothing. The gate is in the data (`gated_observations`), and what is
published is audited before it is renamed into place.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

from flywheel_assets.defs.contracts import contract
from flywheel_assets.defs.graph import ASIDE
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Check
from flywheel_assets.tables.catalogue import TABLES


def stage_checks(stage: str, checks: Sequence[Check]) -> dg.AssetChecksDefinition:
    """All checks of a stage: those given and the contract of each of its tables."""
    every = [*(contract(table) for table in TABLES if table.stage == stage), *checks]
    by_key = {dg.AssetCheckKey(dg.AssetKey(check.asset), check.name): check for check in every}
    specs = [dg.AssetCheckSpec(check.name, asset=check.asset, description=check.promise) for check in every]

    @dg.multi_asset_check(
        name=f"{stage}_checks",
        specs=specs,
        can_subset=True,
        op_tags=ASIDE,
    )
    def judge(context: dg.AssetCheckExecutionContext, wheel: WheelResource) -> Iterator[dg.AssetCheckEvaluation]:
        keys = sorted(context.selected_asset_check_keys)
        judged = newest(context.instance, {key.asset_key for key in keys})
        # Two at a time: while one is read, the other is told.
        with ThreadPoolExecutor(2) as pool:
            verdicts = pool.map(lambda key: by_key[key].judge(wheel, context.instance), keys)
            for key, verdict in zip(keys, verdicts, strict=True):
                # What Dagster makes of an AssetCheckResult, but for an output that nothing waits for and for looking
                # up for each of them what it is about.
                yield dg.AssetCheckEvaluation(
                    key.asset_key,
                    key.name,
                    passed=verdict.passed,
                    metadata=shown(verdict.found),
                    target_materialization_data=judged.get(key.asset_key),
                )

    return judge


def newest(
    instance: dg.DagsterInstance, assets: Collection[dg.AssetKey]
) -> dict[dg.AssetKey, AssetCheckEvaluationTargetMaterializationData]:
    """What a check of each asset is about: its newest materialisation."""
    records = {one.asset_entry.asset_key: one.asset_entry for one in instance.get_asset_records(list(assets))}
    found = {key: entry.last_materialization_record for key, entry in records.items()}
    return {
        key: AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
        for key, record in found.items()
        if record
    }


def shown(found: Mapping[str, Any]) -> dict[str, Any]:
    """Lists and mappings are a click away in the UI; empty ones say so at once."""
    return {name: "none" if value in ([], {}) else value for name, value in found.items()}
