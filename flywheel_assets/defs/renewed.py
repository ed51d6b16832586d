"""Checks that cost what is new: where no table that they read was written since, what was said last still holds.

A check that also depends on the clock, on files or on events is none of these, and is made each time.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version as installed
from typing import Any

import dagster as dg

from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Check, Verdict
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.table import Table

VERSIONS, RULE = "table versions", "rule"
RED = "red days"
# Looked up once: there are some sixty checks.
PACKAGE = installed("flywheel-assets")


@dataclass(frozen=True, slots=True)
class Last:
    """What the check said last, and the tables' versions that it had read then."""

    verdict: Verdict
    versions: Mapping[str, int]

    @property
    def red(self) -> set[date]:
        """Days that were red; they stay so until they are mended."""
        found = self.verdict.found.get(RED)
        return {date.fromisoformat(str(day)) for day in found} if isinstance(found, list) else set()


def renewed(
    asset: str, name: str, promise: str, reads: Sequence[Table], judge: Callable[[WheelResource, Last | None], Verdict]
) -> Check:
    """A check over `reads` and nothing else; `judge` is given what was said last.

    That is None for the first time, and where another version of the package said it, or of another promise.
    """
    rule = hashlib.sha256(f"{PACKAGE}\n{promise}".encode()).hexdigest()[:12]

    def look(wheel: WheelResource, instance: dg.DagsterInstance) -> Verdict:
        # Before anything is read: what is written meanwhile is read the next time.
        lake = wheel.lake()
        versions = lake.versions(reads)
        last = last_said(instance, asset, name, rule)
        unchanged = last is not None and all(changed_days(lake, table, last) == set() for table in reads)
        verdict = last.verdict if last is not None and unchanged else judge(wheel, last)
        return Verdict(verdict.passed, {**verdict.found, VERSIONS: versions, RULE: rule})

    return Check(asset, name, promise, look)


def last_said(instance: dg.DagsterInstance, asset: str, name: str, rule: str) -> Last | None:
    """The check's newest evaluation; None where there is none by that rule that tells what it had read."""
    key = dg.AssetCheckKey(dg.AssetKey(asset), name)
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=5)
    # The newest may be this run's own, which is planned and has not said anything yet.
    said = [record.evaluation for record in records if isinstance(record.evaluation, dg.AssetCheckEvaluation)]
    found: dict[str, Any] = {one: value.value for one, value in said[0].metadata.items()} if said else {}
    versions = found.get(VERSIONS) if found.get(RULE) == rule else None
    return Last(Verdict(said[0].passed, found), versions) if isinstance(versions, dict) else None


def changed_days(lake: Lake, table: Table, last: Last | None) -> set[date] | None:
    """Days of the table that were written or removed since; None: all of it may have been."""
    since = last.versions.get(table.name) if last else None
    return set() if since == lake.version(table) else None if since is None else lake.changed_days(table, since)
