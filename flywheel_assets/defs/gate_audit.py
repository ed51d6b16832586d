"""Checks on the gates themselves: whether people agree with them, and whether they object as they used to."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from flywheel_assets.defs.renewed import Last, changed_days, renewed
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Verdict
from flywheel_assets.lake.lake import Lake
from flywheel_assets.snapshots.live import rows_of_each
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gate_verdicts import GATE_VERDICTS

AUDITED = (GATE_VERDICTS, FEEDBACK)
# Days of verdicts that are looked at: what a turn costs does not grow with the history. Nine weeks are compared.
RECENT = 90
WAITING = "waiting by day"
REVIEWS = "SELECT 1 FROM feedback WHERE name = 'flywheel.review' LIMIT 1"


def audited(wheel: WheelResource, last: Last | None = None) -> Verdict:
    """Fails where people credibly disagree with a gate more often than not.

    As long as nobody has looked at any, nothing can be said of a gate, and days that are as they were wait as they did.
    """
    lake, recent = wheel.lake(), _recent(wheel)
    days, known = recent[GATE_VERDICTS.name], _waiting(lake, last)
    anew = [day for day in days if day.isoformat() not in known]
    sample = rows_of_each(lake, ["audit_sample"], AUDITED, {GATE_VERDICTS.name: anew})[0] if anew else []
    found = Counter(row["day"].isoformat() for row in sample if row["review"] is None)
    looked = found.total() < len(sample)
    audit = rows_of_each(lake, ["audit_sample", "gate_audit"], AUDITED, recent)[-1] if looked else []
    waiting = {day: known.get(day, found[day]) for day in map(date.isoformat, days)}
    verdict = judge_audit(audit, sum(waiting.values()))
    return Verdict(verdict.passed, {**verdict.found, WAITING: {} if looked else waiting})


def _waiting(lake: Lake, last: Last | None) -> dict[str, int]:
    """How many examples waited by day when nobody had looked at any, of days that are as they were; else nothing."""
    changed, said = (changed_days(lake, table, last) for table in AUDITED)
    known = last.verdict.found.get(WAITING) if last else None
    if not isinstance(known, dict) or changed is None or said is None:
        return {}
    reviews = lake.connect([FEEDBACK], {FEEDBACK.name: sorted(said)}).execute(REVIEWS).fetchall()
    return {} if reviews else {day: count for day, count in known.items() if date.fromisoformat(day) not in changed}


def _recent(wheel: WheelResource) -> dict[str, list[date]]:
    return {GATE_VERDICTS.name: wheel.lake().days(GATE_VERDICTS)[-RECENT:]}


def judge_audit(audit: Sequence[dict[str, Any]], waiting: int) -> Verdict:
    """Of rows of the view `gate_audit`."""
    wrong = [row["gate"] for row in audit if row["upper"] is not None and row["upper"] < 0.5]
    return Verdict(
        passed=not wrong,
        found={
            "more often wrong than right": wrong,
            "waiting for review": waiting,
            "precision": {
                row["gate"]: f"{row['precision']:.2f} [{row['lower']:.2f}, {row['upper']:.2f}] of {row['reviewed']}"
                for row in audit
                if row["reviewed"]
            },
            "recall at least": {
                row["gate"]: round(row["recall_at_least"], 3) for row in audit if row["recall_at_least"] is not None
            },
        },
    )


def drifted(wheel: WheelResource, _last: Last | None = None) -> Verdict:
    """Fails where a gate's newest week is unlike the weeks before it."""
    return judge_weeks(rows_of_each(wheel.lake(), ["gate_weeks"], [GATE_VERDICTS], _recent(wheel))[-1])


def judge_weeks(weeks: Sequence[dict[str, Any]]) -> Verdict:
    """Of rows of the view `gate_weeks`: of every gate and version the newest."""
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in weeks:
        key = (row["gate"], row["gate_version"])
        newest[key] = max(row, newest.get(key, row), key=lambda one: one["week"])
    found = [row for row in newest.values() if row["drifted"]]
    return Verdict(
        passed=not found,
        found={
            "drifted": {
                row["gate"]: f"week of {row['week']}: {row['share']:.1%} after {row['earlier_share']:.1%}"
                for row in found
            },
            "share of objections": {
                row["gate"]: round(row["share"], 4) for row in newest.values() if row["objections"]
            },
        },
    )


GATE_CHECKS = (
    renewed(
        GATE_VERDICTS.name,
        "people_agree",
        "People agree with every gate more often than not, of what was drawn for them at random in the newest 90 days "
        "(view gate_audit).",
        AUDITED,
        audited,
    ),
    renewed(
        GATE_VERDICTS.name,
        "gates_are_steady",
        "In its newest week every gate objects to about as much as in the eight weeks before (view gate_weeks).",
        [GATE_VERDICTS],
        drifted,
    ),
)
