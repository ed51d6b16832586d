"""`flywheel decisions …`: read the ledger, check it, derive a verdict again, answer a question."""

import json
from datetime import UTC, datetime
from typing import Any

from rich.table import Table as Grid
from rich.text import Text

from flywheel_assets.commands.envelope import NOT_FOUND, Answer, RefusedError
from flywheel_assets.commands.skills import read_skills
from flywheel_assets.decisions.decide import beginning
from flywheel_assets.decisions.ledger import entry_hash, replay, verify
from flywheel_assets.decisions.lifecycle import Canary, Shadow
from flywheel_assets.decisions.rollout import rollout
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.steps import DECIDE

SUMMARY = ("seq", "entry_id", "decided_at", "kind", "skill", "candidate_arm", "incumbent_arm", "estimate", "reason")


def entries(places: Places, skill: str) -> Answer:
    """The ledger, newest first."""
    rows = [row for row in reversed(_ledger(places)) if skill in ("", row["skill"])]
    grid = Grid("entry", "when", "kind", "skill", "candidate", "difference", "why", box=None)
    for row in rows:
        estimate = "–" if row["estimate"] is None else f"{row['estimate']:+.3f}"
        when = f"{row['decided_at']:%Y-%m-%d %H:%M}"
        grid.add_row(row["entry_id"], when, row["kind"], row["skill"], row["candidate_arm"], estimate, row["reason"])
    result = [{name: row[name] for name in SUMMARY} for row in rows]
    return Answer(
        result, [grid if rows else Text("The ledger is empty.")], ["flywheel decisions show ENTRY"] if rows else []
    )


def show(places: Places, entry: str) -> Answer:
    """One entry, whole."""
    row = _entry(places, entry)
    for name in ("criteria_json", "registration_json", "manifest_json"):
        row[name.removesuffix("_json")] = json.loads(row.pop(name))
    shown = Text("\n".join(f"{name}: {json.dumps(value, default=str, indent=1)}" for name, value in row.items()))
    return Answer(row, [shown], [f"flywheel why {row['entry_id']}", f"flywheel decisions replay {row['entry_id']}"])


def check(places: Places) -> Answer:
    """Every fault of the chain."""
    ledger = Lake(places.lake).read(PROMOTION_DECISIONS)
    faults = verify(ledger)
    words = f"{ledger.num_rows} entries, the chain is whole" if not faults else "\n".join(faults)
    actions = ["restore the lake's folder from a backup, or the table to an earlier version"] if faults else []
    return Answer({"entries": ledger.num_rows, "faults": faults}, [Text(words)], actions, ok=not faults)


def derive_again(places: Places, entry: str) -> Answer:
    """The entry's verdict, from the observations as they were.

    Another version of the code may derive other bytes: that is said, and is no sign of an edit, which is what the
    entry's own hash tells.
    """
    row, lake = _entry(places, entry), Lake(places.lake)
    manifest = json.loads(row["manifest_json"])
    versions = manifest.get("table_versions", {})
    # Entries from before judges were looked at pin no version of what they said.
    said = [FEEDBACK] if FEEDBACK.name in versions else []
    differences = replay(row, lake.connect([GATED_OBSERVATIONS, AGENT_RUNS, *said], versions=versions))
    made_by = manifest.get("decide_version", "2 or earlier")
    other = made_by != DECIDE.version
    edited = row["hash"] != entry_hash(row)
    words = "\n".join(differences) if differences else "the same verdict, byte for byte"
    if differences and other:
        words = (
            f"made by another version of the code (decide {made_by}; this is {DECIDE.version}), which need not give "
            f"the same bytes. The entry {'was edited' if edited else 'is as it was written'}. What differs:\n{words}"
        )
    result = {"entry": row["entry_id"], "differences": differences, "made_by_this_version": not other, "edited": edited}
    return Answer(result, [Text(words)], ok=not edited and (other or not differences))


def approve(places: Places, experiment: str, by: str, comment: str = "", *, approved: bool) -> Answer:
    """Write a person's answer down."""
    from flywheel_assets.defs.approvals import answer

    states = rollout(Lake(places.lake).read(PROMOTION_DECISIONS), read_skills(places))
    under_way = [one for state in states.values() for one in state.on_trial]
    waiting = {one.registration.experiment_id: one for one in under_way if _asks(one)}
    if experiment not in waiting:
        raise RefusedError(
            f"{experiment} is not an open trial that asks for approval",
            [f"open and asking: {', '.join(map(str, waiting)) or 'none'}"],
            NOT_FOUND,
        )
    begins = approved and isinstance(waiting[experiment], Shadow)
    about = beginning(experiment) if begins else experiment
    answer(places, about, approved=approved, by=by, at=datetime.now(UTC), comment=comment)
    said = "it begins with the next turn" if begins else "approved" if approved else "refused"
    return Answer({"experiment": experiment, "approved": approved, "by": by}, [Text(said)], ["flywheel run"])


def reject(places: Places, experiment: str, by: str, comment: str = "") -> Answer:
    """End an open trial without a promotion, whether or not it asks for approval."""
    from flywheel_assets.defs.approvals import answer

    states = rollout(Lake(places.lake).read(PROMOTION_DECISIONS), read_skills(places))
    under_way = [one.registration.experiment_id for state in states.values() for one in state.on_trial]
    if experiment not in under_way:
        raise RefusedError(
            f"{experiment} is not an open trial", [f"open: {', '.join(map(str, under_way)) or 'none'}"], NOT_FOUND
        )
    answer(places, experiment, approved=False, by=by, at=datetime.now(UTC), comment=comment)
    return Answer({"experiment": experiment, "approved": False, "by": by}, [Text("rejected")], ["flywheel run"])


def roll_back(places: Places, skill: str, by: str, comment: str = "") -> Answer:
    """Ask for the skill's newest promotion to be undone: what was in production before it comes back."""
    from flywheel_assets.defs.approvals import ask_rollback

    states = rollout(Lake(places.lake).read(PROMOTION_DECISIONS), read_skills(places))
    promoted = {name: state.promoted.registration for name, state in states.items() if state.promoted}
    if skill not in promoted:
        raise RefusedError(
            f"nothing of skill {skill!r} was promoted", [f"promoted: {', '.join(promoted) or 'none'}"], NOT_FOUND
        )
    undone = promoted[skill]
    ask_rollback(places, undone.experiment_id, by=by, at=datetime.now(UTC), comment=comment)
    said = f"{undone.candidate_arm} gives way to {undone.incumbent_arm} with the next turn"
    result = {"experiment": undone.experiment_id, "restores": undone.incumbent_arm, "by": by}
    return Answer(result, [Text(said)], ["flywheel run"])


def _asks(on_trial: Shadow | Canary) -> bool:
    return isinstance(on_trial, Shadow) or on_trial.registration.needs_approval


def _ledger(places: Places) -> list[dict[str, Any]]:
    return Lake(places.lake).read(PROMOTION_DECISIONS).to_pylist()


def _entry(places: Places, entry: str) -> dict[str, Any]:
    found = [row for row in _ledger(places) if entry in (row["entry_id"], str(row["seq"]))]
    if not found:
        raise RefusedError(f"the ledger has no entry {entry!r}", ["flywheel decisions list"], NOT_FOUND)
    return found[0]
