"""Trials that may be approved or ended, and promotions that may be undone: as `flywheel decisions …` does."""

import json
from collections.abc import Mapping
from typing import Any

from flywheel_assets.artifacts.prompts import known_prompts
from flywheel_assets.commands.decisions import approve, reject, roll_back
from flywheel_assets.commands.envelope import RefusedError
from flywheel_assets.commands.skills import read_skills
from flywheel_assets.decisions.rollout import SkillState, rollout
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.receiver.desk.work import Choice, Item, Page, Queue, UnfitError, Word
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES

APPROVE = Choice("approve", "Approve", "a")
REJECT = Choice("reject", "Reject", "r")
END = Choice("reject", "End the trial", "e", grave=True)
ROLL_BACK = Choice("rollback", "Roll back", "b", grave=True)
# By version: the text of every prompt that is at hand.
Texts = Mapping[str, str]


def queue(places: Places) -> Queue:
    """Open trials, those that wait for approval first, then what is in production by a promotion."""
    return Queue(
        "decisions",
        "Decisions",
        "Trials that ask for approval or may be ended, and promotions that may be undone. The next turn acts.",
        lambda _part: listed(places),
        lambda word: take(places, word),
    )


def listed(places: Places) -> Page:
    """The ledger's open ends, with what it says of each."""
    lake, skills = Lake(places.lake), read_skills(places)
    ledger = lake.read(PROMOTION_DECISIONS)
    newest = {row["experiment_id"]: row for row in ledger.to_pylist()}
    states = rollout(ledger, skills).values()
    known = known_prompts(places.artifacts, skills, lake.read(PROMPT_CANDIDATES))
    texts = {version: document.text for (_, version), document in known.items()}
    trials = [_trial(trial, newest[trial.experiment_id], texts) for state in states for trial in state.trials]
    waiting = sorted(trials, key=lambda item: APPROVE not in item.choices)
    return Page((*waiting, *(_promoted(state, newest) for state in states if state.promotions)))


def take(places: Places, word: Word) -> str:
    """What the command of the same name does."""
    why = word.comment or ""
    try:
        if word.verb == ROLL_BACK.verb:
            roll_back(places, word.item, word.by, why)
        elif word.verb == REJECT.verb:
            reject(places, word.item, word.by, why)
        elif word.verb == APPROVE.verb:
            approve(places, word.item, word.by, why, approved=True)
        else:
            raise UnfitError(f"no such answer: {word.verb}")
    except RefusedError as error:
        raise UnfitError(f"{error} — it may have been answered, or ended, meanwhile") from error
    said = {"approve": "approved", "reject": "rejected", "rollback": "asked for the rollback"}[word.verb]
    return f"{said}; the next turn acts on it"


def _trial(trial: Registration, entry: Mapping[str, Any], texts: Texts) -> Item:
    return Item(
        trial.experiment_id,
        f"{trial.skill}: {_change(trial)}",
        (APPROVE, REJECT) if trial.needs_approval else (END,),
        (
            ("on trial", f"{trial.experiment_id}, {trial.kind}, since {trial.registered_at:%Y-%m-%d}"),
            ("asks for approval", "yes" if trial.needs_approval else "no: it decides by itself"),
            *_numbers(entry),
            ("error budget of this trial", f"{trial.alpha:.4f}"),
        ),
        (("What the ledger says", _verdict(entry)), *_prompts(trial, texts)),
    )


def _promoted(state: SkillState, newest: Mapping[str, Mapping[str, Any]]) -> Item:
    promotion = state.promotions[-1]
    entry = newest[promotion.registration.experiment_id]
    return Item(
        state.skill,
        f"{state.skill}: {promotion.registration.candidate_arm} is in production",
        (ROLL_BACK,),
        (
            ("promoted", f"{promotion.promoted_at:%Y-%m-%d %H:%M} UTC, {promotion.registration.experiment_id}"),
            ("a rollback restores", promotion.registration.incumbent_arm),
            *_numbers(entry),
        ),
        (("What the ledger says", _verdict(entry)),),
    )


def _change(trial: Registration) -> str:
    return f"{trial.candidate_arm} instead of {trial.incumbent_arm}"


def _numbers(entry: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    units = f"{entry['candidate_units']} and {entry['incumbent_units']} units"
    if entry["estimate"] is None:
        return (("difference in outcome", "not measured yet"), ("evidence", units))
    found = f"{entry['estimate']:+.3f}, between {entry['lower']:+.3f} and {entry['upper']:+.3f}"
    return (("difference in outcome", found), ("evidence", units))


def _verdict(entry: Mapping[str, Any]) -> str:
    judged = json.loads(entry["criteria_json"]).get("criteria", [])
    lines = [f"{one['verdict']:<10} {one['criterion']}: {one['reason']}" for one in judged]
    return "\n".join([f"{entry['kind']}: {entry['reason']}", *lines])


def _prompts(trial: Registration, texts: Texts) -> tuple[tuple[str, str], ...]:
    """Both prompts where the trial is about them."""
    if trial.kind != "prompt":
        return ()
    arms = (("Prompt on trial", trial.candidate_arm), ("Prompt in production", trial.incumbent_arm))
    found = [(name, texts.get(Arm.parse(arm).prompt_version)) for name, arm in arms]
    return tuple((name, text) for name, text in found if text)
