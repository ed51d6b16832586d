"""Asset checks, one step per stage: its tables' contracts, its accounts, and what it adds of its own.

Checks report and alarm; they gate nothing. The gate is in the data (`gated_observations`), and what is
published is audited before it is renamed into place.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from flywheel_assets.defs.contracts import contract
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Check
from flywheel_assets.tables.catalogue import TABLES


def stage_checks(stage: str, checks: Sequence[Check]) -> dg.AssetChecksDefinition:
    """All checks of a stage: those given and the contract of each of its tables."""
    every = [*(contract(table) for table in TABLES if table.stage == stage), *checks]
    by_key = {dg.AssetCheckKey(dg.AssetKey(check.asset), check.name): check for check in every}

    @dg.multi_asset_check(
        name=f"{stage}_checks",
        specs=[dg.AssetCheckSpec(check.name, asset=check.asset, description=check.promise) for check in every],
        can_subset=True,
    )
    def judge(context: dg.AssetCheckExecutionContext, wheel: WheelResource) -> Iterator[dg.AssetCheckResult]:
        for key in sorted(context.selected_asset_check_keys):
            verdict = by_key[key].judge(wheel, context.instance)
            yield dg.AssetCheckResult(
                passed=verdict.passed, asset_key=key.asset_key, check_name=key.name, metadata=shown(verdict.found)
            )

    return judge


def shown(found: Mapping[str, Any]) -> dict[str, Any]:
    """Lists and mappings are a click away in the UI; empty ones say so at once."""
    return {name: "none" if value in ([], {}) else value for name, value in found.items()}
