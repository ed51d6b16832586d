"""The ledger as tables in the UI: what each criterion said, and what became of the error budget."""

import json
from typing import Any

import dagster as dg
import pyarrow as pa

from flywheel_assets.defs.metadata import table_of

# Entries that the budget is shown for: a trial takes two of them.
NEWEST = 24
CRITERIA = {
    "trial": "Skill and candidate",
    "criterion": "What has to pass before anything is promoted; of a rollback, the metric that is watched",
    "verdict": "passed | failed | undecided",
    "reason": "In words; all numbers are in `flywheel decisions show`",
    "e_value": "Evidence, where it is measured by an e-value",
    "needed": "What it is compared with",
}
BUDGET = {
    "seq": "Position in the ledger",
    "entry": "registered | canary | promoted | rolled_back | abandoned | superseded",
    "trial": "Skill and candidate",
    "alpha": "Share of the error budget that the trial was given",
    "alpha_left": "Share that is left for all trials to come",
}


def criteria_table(entries: pa.Table) -> dg.TableMetadataValue | dg.MarkdownMetadataValue:
    """One row per criterion of each of these entries that is a look at evidence."""
    rows = [
        {"trial": _trial(entry)}
        | {name: one[name] for name in ("criterion", "verdict", "reason")}
        | {name: one["numbers"].get(name) for name in ("e_value", "needed")}
        for entry in entries.to_pylist()
        for one in json.loads(entry["criteria_json"] or "{}").get("criteria", [])
    ]
    return table_of(rows, CRITERIA) if rows else dg.MetadataValue.md("No evidence was new to any trial or promotion.")


def budget_table(ledger: pa.Table) -> dg.TableMetadataValue | dg.MarkdownMetadataValue:
    """The newest entries that began or ended something, newest first, and what they left of the budget."""
    rows = [
        {name: entry[name] for name in ("seq", "alpha", "alpha_left")}
        | {"entry": entry["kind"], "trial": _trial(entry)}
        for entry in ledger.sort_by([("seq", "descending")]).to_pylist()
        if entry["kind"] != "held"
    ][:NEWEST]
    return table_of(rows, BUDGET) if rows else dg.MetadataValue.md("Nothing was registered yet: all of it is left.")


def _trial(entry: dict[str, Any]) -> str:
    return f"{entry['skill']} · {entry['candidate_arm']}"
