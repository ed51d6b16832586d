"""The rollout: any sequence of legal entries folds, no illegal one does, and a rollback restores."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flywheel_assets.decisions.ledger import chain
from flywheel_assets.decisions.lifecycle import (
    Abandoned,
    Canary,
    Promoted,
    Registered,
    RolledBack,
    Shadow,
    Superseded,
)
from flywheel_assets.decisions.rollout import IllegalTransitionError, SkillState, advance, baseline, rollout
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets_tests.decisions.conftest import START

SKILLS = SkillsFile(skills={"triage": Skill(baseline_model="old")})


def entry(
    kind: str, candidate: str = "new|-|-", incumbent: str = "old|-|-", position: int = 1, shadow: bool = False
) -> dict[str, Any]:
    """A draft as `decide` makes them, as far as the fold looks at it."""
    registration = Registration(
        experiment_id=f"exp-{position}",
        skill="triage",
        kind="routing",
        candidate_arm=candidate,
        incumbent_arm=incumbent,
        margin=0,
        canary_share=0.4,
        incumbent_share=0.4,
        guardrails=(),
        alpha=0.01,
        position=position,
        max_units=100,
        needs_approval=False,
        shadow=shadow,
        registered_at=START,
        candidate_id="c",
    )
    return {
        "decided_at": START,
        "skill": "triage",
        "experiment_id": registration.experiment_id,
        "kind": kind,
        "candidate_arm": candidate,
        "incumbent_arm": incumbent,
        "reason": "",
        "candidate_units": 10,
        "incumbent_units": 10,
        "alpha": 0.01,
        "alpha_left": 0.01,
        "criteria_json": "{}",
        "registration_json": registration.model_dump_json(),
        "manifest_json": json.dumps({"candidate": {"support": 5.0}}),
        "evidence_hash": "0",
        "evidence_days": [],
    }


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([entry("held")], "not open"),
        ([entry("promoted")], "not open"),
        ([entry("abandoned")], "not open"),
        ([entry("rolled_back")], "not what is in production"),
        ([entry("registered"), entry("registered", position=2)], "still open"),
        ([entry("registered"), entry("promoted", position=2)], "not open"),
        ([entry("registered"), entry("rolled_back")], "compares with"),
        ([entry("registered"), entry("promoted"), entry("promoted")], "not open"),
        (
            [entry("registered"), entry("abandoned"), entry("registered", incumbent="x|-|-", position=2)],
            "in production",
        ),
        ([entry("registered"), entry("invented")], "unknown kind"),
        ([entry("registered"), entry("canary")], "unknown kind"),
        *(
            ([entry("registered", shadow=True), entry(kind, shadow=True)], "no traffic")
            for kind in ("held", "promoted")
        ),
        ([entry("registered", shadow=True), entry("registered", position=2)], "still open"),
    ],
)
def test_an_entry_that_cannot_follow_is_refused(entries: list[dict[str, Any]], words: str):
    with pytest.raises(IllegalTransitionError, match=words):
        rollout(chain(PROMOTION_DECISIONS.empty(), entries), SKILLS)


@pytest.mark.parametrize(
    ("prompt", "arm"), [("", "old|-|-"), ("Sort the ticket.", f"old|{prompt_version('Sort the ticket.')}|-")]
)
def test_the_launch_baseline_comes_from_skills_yaml(prompt: str, arm: str):
    assert baseline(Skill(baseline_model="old", baseline_prompt=prompt)) == arm


def test_editing_skills_yaml_does_not_move_the_holdout_of_a_skill_that_was_tried():
    ledger = chain(PROMOTION_DECISIONS.empty(), [entry("registered")])
    edited = SkillsFile(skills={"triage": Skill(baseline_model="edited"), "fresh": Skill(baseline_model="edited")})
    states = rollout(ledger, edited)
    assert (states["triage"].baseline_arm, states["fresh"].baseline_arm) == ("old|-|-", "edited|-|-")


def test_skills_that_are_no_longer_named_have_no_state():
    ledger = chain(PROMOTION_DECISIONS.empty(), [entry("registered")])
    assert rollout(ledger, SkillsFile()) == {}


class Rollout(RuleBasedStateMachine):
    """Random legal histories, against a model that is plain lists: arms in production, and open trials."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, Any]] = []
        self.arms = ["old|-|-"]
        # Each with whether it waits in shadow.
        self.open: list[tuple[dict[str, Any], bool]] = []
        self.promoting: list[dict[str, Any]] = []

    def _candidates(self) -> set[str]:
        return {one["candidate"] for one, _ in self.open}

    @rule(arm=st.sampled_from(["a|-|-", "b|-|-", "c|-|-"]), shadow=st.booleans())
    def register(self, arm: str, shadow: bool) -> None:
        if arm in self._candidates():
            return
        one = {"candidate": arm, "incumbent": self.arms[-1], "position": len(self.entries) + 1, "shadow": shadow}
        self.open.append((one, shadow))
        self.entries.append(entry("registered", **one))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 2), kind=st.sampled_from(["canary", "held", "promoted", "abandoned"]))
    def conclude(self, which: int, kind: str) -> None:
        one, shadow = self.open[which % len(self.open)]
        if kind not in self._legal(shadow):
            return
        self.entries.append(entry(kind, **one))
        if kind == "held":
            return
        self.open.remove((one, shadow))
        if kind == "canary":
            self.open.append((one, False))
        if kind == "promoted":
            self.arms.append(one["candidate"])
            self.promoting.append(one)

    @precondition(lambda self: not self.open and len(self.arms) > 1)
    @rule()
    def roll_back(self) -> None:
        self.arms.pop()
        self.entries.append(entry("rolled_back", **self.promoting.pop()))

    def _legal(self, shadow: bool) -> set[str]:
        if shadow:
            return {"canary", "abandoned"}
        # Nothing leaves production while other trials compare with it.
        return {"held", "promoted", "abandoned"} - ({"promoted"} if len(self.open) > 1 else set())

    @invariant()
    def the_fold_is_the_model_and_nothing_illegal_follows(self) -> None:
        state = rollout(chain(PROMOTION_DECISIONS.empty(), self.entries), SKILLS)["triage"]
        assert state.production_arm == self.arms[-1]
        assert state.baseline_arm == "old|-|-"
        assert state.first_promoted_arm == (self.arms[1] if len(self.arms) > 1 else None)
        assert [one.registration.candidate_arm for one in state.promotions] == self.arms[1:]
        assert {one.registration.candidate_arm for one in state.on_trial} == self._candidates()
        # What has traffic is what the published document draws for.
        assert {one.candidate_arm for one in state.trials} == {
            one["candidate"] for one, shadow in self.open if not shadow
        }
        for kind in ("canary", "promoted", "held", "abandoned", "rolled_back"):
            with pytest.raises(IllegalTransitionError):
                advance(state, entry(kind, position=10_000))
            for one, shadow in self.open:
                if kind not in self._legal(shadow):
                    with pytest.raises(IllegalTransitionError):
                        advance(state, entry(kind, **one))
        if self.open and self.promoting:
            with pytest.raises(IllegalTransitionError):
                advance(state, entry("rolled_back", **self.promoting[-1]))


TestRollout = Rollout.TestCase
TestRollout.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)


def test_support_adds_up_what_was_known_before_and_what_the_trial_brought():
    state = SkillState("triage", "old|-|-")
    for kind in ("registered", "promoted", "rolled_back"):
        state = advance(state, entry(kind))
    assert [(type(ended), ended.support) for ended in state.ended] == [(RolledBack, 5.0 + 10 + 10)]


STEPS = {
    "shadowed": "",
    "begun": "",
    "held": '"hash"',
    "promoted": "now, 1, 1",
    "abandoned": "1, 1",
    "superseded": "",
    "restored": "",
    "rolled_back": "1, 1",
}
LEGAL = {
    Registered: {"shadowed", "begun"},
    Shadow: {"begun", "abandoned"},
    Canary: {"held", "promoted", "abandoned"},
    Promoted: {"superseded", "rolled_back"},
    Superseded: {"restored"},
    RolledBack: set[str](),
    Abandoned: set[str](),
}


@pytest.mark.parametrize("state", LEGAL, ids=lambda state: state.__name__)
def test_a_state_has_no_other_ways_out_than_these(state: type) -> None:
    assert {step for step in STEPS if callable(getattr(state, step, None))} == LEGAL[state]


def test_a_program_with_an_illegal_transition_does_not_type_check(tmp_path: Path) -> None:
    illegal = [(state, step) for state in LEGAL for step in STEPS if step not in LEGAL[state]]
    program = [
        "from datetime import datetime",
        f"from flywheel_assets.decisions.lifecycle import {', '.join(state.__name__ for state in LEGAL)}",
        f"def go(now: datetime, {', '.join(f's{at}: {state.__name__}' for at, (state, _) in enumerate(illegal))}):",
        *(f"    s{at}.{step}({STEPS[step]})" for at, (_, step) in enumerate(illegal)),
    ]
    (tmp_path / "program.py").write_text("\n".join(program))
    pyright = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "program.py"]
    found = subprocess.run(pyright, capture_output=True, text=True, cwd=tmp_path, check=False)
    refused = {
        one["range"]["start"]["line"]
        for one in json.loads(found.stdout)["generalDiagnostics"]
        if one.get("rule") == "reportAttributeAccessIssue"
    }
    assert refused == {3 + at for at in range(len(illegal))}
