"""One turn of the decisions: look at promotions, look at trials, register what comes next.

Pure: the same ledger, candidates, evidence, skills, time and manifest give the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from flywheel_assets.decisions import arguments, evidence
from flywheel_assets.decisions.canonical import canonical, stated
from flywheel_assets.decisions.elond import left
from flywheel_assets.decisions.evidence import Evidence
from flywheel_assets.decisions.judge import Kind, Verdict, judge
from flywheel_assets.decisions.ledger import chain
from flywheel_assets.decisions.lifecycle import Canary, Shadow
from flywheel_assets.decisions.looks import CandidateSeen, LookManifest, manifest_json
from flywheel_assets.decisions.register import Proposal, Row, proposals, register
from flywheel_assets.decisions.rollout import SkillState, advance, rollout
from flywheel_assets.decisions.stakes import Reals
from flywheel_assets.decisions.trial import Conditions, IdenticalArms, Trial
from flywheel_assets.decisions.watch import verdict, watch
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.documents.scorer import Scorer
from flywheel_assets.tables.documents.skills_file import SkillsFile

NO_EVIDENCE = Evidence.none()


@dataclass(frozen=True, slots=True)
class Inputs:
    """What one turn reads.

    `con` has the view `gated_observations`. `prompts` holds the published prompt texts by version (the
    launch prompts need not be in it), `approvals` a person's answer by experiment id, `rollbacks` who
    asked for an experiment's promotion to be undone, `identical` how
    trials of identical arms went. `manifest` is recorded with every entry: table versions, code
    version, configuration hash, seed. `con` needs `agent_runs` too where a skill declares slices.
    """

    ledger: pa.Table
    routing_candidates: pa.Table
    prompt_candidates: pa.Table
    con: duckdb.DuckDBPyConnection
    skills: SkillsFile
    now: datetime
    manifest: Mapping[str, object]
    prompts: Mapping[str, str] = field(default_factory=dict[str, str])
    approvals: Mapping[str, bool] = field(default_factory=dict[str, bool])
    rollbacks: Mapping[str, str] = field(default_factory=dict[str, str])
    identical: IdenticalArms | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """Rows to append to PROMOTION_DECISIONS and DECISION_ARGUMENTS, and the states after them."""

    entries: pa.Table
    arguments: pa.Table
    states: dict[str, SkillState]

    @property
    def key(self) -> str | None:
        """Idempotency key of both appends: a turn on the same ledger cannot be appended twice. None: nothing new."""
        return f"seq-{self.entries.column('seq')[0].as_py()}" if self.entries.num_rows else None


def decide(inputs: Inputs) -> Decided:
    """Entries for every skill in order: rollbacks and verdicts on open trials, then registrations.

    A look that holds is an entry only when its evidence changed since the look before.
    """
    turn = _Turn(inputs)
    for name in turn.states:
        turn.look_at_promotion(name)
        turn.look_at_trials(name)
    for name in turn.states:
        turn.register_next(name)
    return turn.close()


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at a trial. `before`: hash of the evidence at the look before."""

    registration: Registration
    evidence: Evidence
    conditions: Conditions
    outcome: Verdict
    before: str | None


class _Turn:
    """A turn in progress: the states after each draft, and the drafts."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.states = rollout(inputs.ledger, inputs.skills)
        kinds: list[str] = inputs.ledger.column("kind").to_pylist()
        self.registered, self.promoted = kinds.count("registered"), kinds.count("promoted")
        self.drafts: list[dict[str, Any]] = []
        self.grounds: list[tuple[Evidence, Reals] | None] = []
        self.routing = _by_skill(inputs.routing_candidates)
        self.prompts = _by_skill(inputs.prompt_candidates)
        under_way = [one.registration for state in self.states.values() for one in state.on_trial]
        promoted = {name: state.promoted.promoted_at for name, state in self.states.items() if state.promoted}
        self.evidence = evidence.of_trials(inputs.con, under_way)
        self.con = evidence.of_promotions(inputs.con, promoted)

    def look_at_promotion(self, name: str) -> None:
        """Roll back where the arm in production is credibly worse than its predecessor."""
        state = self.states[name]
        promotion = state.promoted
        if promotion is None:
            return
        found = evidence.since_promotion(self.con, promotion.registration, promotion.promoted_at)
        watched = watch(promotion.registration, found)
        asked_by = self.inputs.rollbacks.get(promotion.registration.experiment_id)
        outcome = verdict(found, watched, asked_by)
        if outcome.kind != "rolled_back":
            return
        for one in state.on_trial:
            self._conclude(name, self._seen(name, one, incumbent_rolled_back=True))
        look = LookManifest(since=promotion.promoted_at, asked_by=asked_by)
        self._draft(name, promotion.registration, outcome, look, (found, arguments.of_rollback(watched)))

    def look_at_trials(self, name: str) -> None:
        """Conclude the open trials, say what is missing, or let one that waited begin.

        Where several could be promoted at once, the one with the highest lower end is; all others end with it.
        """
        on_trial = self.states[name].on_trial
        looks = [self._seen(name, one) for one in on_trial if isinstance(one, Canary)]
        passed = [look for look in looks if look.outcome.kind == "promoted"]
        won = max(passed, key=lambda look: look.outcome.lower or 0.0, default=None)
        if won is not None:
            for one in (one for one in on_trial if one.registration != won.registration):
                self._conclude(name, self._seen(name, one, replaced_by=won.registration.candidate_arm))
            self._conclude(name, won)
            return
        for one in (one for one in on_trial if isinstance(one, Shadow)):
            self._look_at_shadow(name, one)
        for look in looks:
            self._conclude(name, look)

    def register_next(self, name: str) -> None:
        """Open trials while there is room for them and something may be tried."""
        skill = self.inputs.skills.skills[name]
        while len(self.states[name].on_trial) < skill.trials_at_once:
            state = self.states[name]
            found = proposals(state, skill, self.routing.get(name, ()), self.prompts.get(name, ()))
            if not found:
                return
            self._register(state, found[0])

    def close(self) -> Decided:
        """Chain the drafts."""
        entries = chain(self.inputs.ledger, self.drafts)
        parts = [
            arguments.rows(entry, *ground)
            for entry, ground in zip(entries.to_pylist(), self.grounds, strict=True)
            if ground is not None
        ]
        return Decided(entries, pa.concat_tables([DECISION_ARGUMENTS.empty(), *parts]), self.states)

    def _seen(
        self,
        name: str,
        one: Shadow | Canary,
        *,
        incumbent_rolled_back: bool = False,
        replaced_by: str | None = None,
    ) -> _Look:
        registration = one.registration
        conditions = Conditions(
            predecessor_known=self._known(name, registration.incumbent_arm),
            approved=self.inputs.approvals.get(registration.experiment_id),
            incumbent_rolled_back=incumbent_rolled_back,
            replaced_by=replaced_by,
            as_of=self.inputs.now,
            identical=self.inputs.identical,
        )
        found = self.evidence[registration.experiment_id]
        before = one.seen if isinstance(one, Canary) else None
        return _Look(registration, found, conditions, judge(registration, found, conditions), before)

    def _conclude(self, name: str, look: _Look) -> None:
        """Write the look down, but one that holds on the evidence of the look before."""
        trial, outcome = Trial(look.registration, look.evidence, look.conditions), look.outcome
        if outcome.kind == "held" and outcome.evidence_hash == (look.before or NO_EVIDENCE.hash):
            return
        ground = None if outcome.kind == "held" else (look.evidence, arguments.of_trial(trial))
        self._draft(name, look.registration, outcome, LookManifest(conditions=look.conditions), ground)

    def _look_at_shadow(self, name: str, one: Shadow) -> None:
        """A person's word, given while it had no traffic, begins or ends it; until then nothing is written."""
        answers, registration = self.inputs.approvals, one.registration
        if answers.get(registration.experiment_id) is False:
            self._conclude(name, self._seen(name, one))
        elif answers.get(beginning(registration.experiment_id)):
            outcome = _without_evidence("canary", "a person let it begin")
            self._draft(name, registration, outcome, LookManifest(), None)

    def _register(self, state: SkillState, proposal: Proposal) -> None:
        registration = register(
            proposal,
            state,
            self.inputs.skills.skills[state.skill],
            budget=self.inputs.skills.alpha,
            position=self.registered + 1,
            promotions=self.promoted,
            now=self.inputs.now,
        )
        seen = CandidateSeen(
            candidate_id=proposal.candidate_id,
            support=proposal.support,
            reason=proposal.reason,
            off_policy=proposal.off_policy,
            policy=Scorer.model_validate_json(proposal.policy_json) if proposal.policy_json else None,
        )
        reason = "; ".join(one for one in (proposal.reason, proposal.off_policy) if one)
        outcome = _without_evidence("registered", reason)
        self._draft(state.skill, registration, outcome, LookManifest(candidate=seen), None)

    def _known(self, name: str, arm: str) -> bool:
        """Whether the arm's prompt can be put back byte for byte."""
        version = Arm.parse(arm).prompt_version
        launch = self.inputs.skills.skills[name].baseline_prompt
        text = self.inputs.prompts.get(version)
        return version in ("-", prompt_version(launch)) or (text is not None and prompt_version(text) == version)

    def _draft(
        self,
        name: str,
        registration: Registration,
        outcome: Verdict,
        look: LookManifest,
        ground: tuple[Evidence, Reals] | None,
    ) -> None:
        self.registered += outcome.kind == "registered"
        self.promoted += outcome.kind == "promoted"
        draft = {
            "decided_at": self.inputs.now,
            "skill": name,
            "experiment_id": registration.experiment_id,
            "candidate_arm": registration.candidate_arm,
            "incumbent_arm": registration.incumbent_arm,
            "alpha": registration.alpha,
            "alpha_left": stated(left(self.inputs.skills.alpha, self.registered, self.promoted)),
            "registration_json": canonical(registration.model_dump(mode="json")),
            "manifest_json": manifest_json(self.inputs.manifest, look),
            **asdict(outcome),
        }
        self.states[name] = advance(self.states[name], draft)
        self.drafts.append(draft)
        self.grounds.append(ground)


def beginning(experiment_id: str) -> str:
    """What a person's leave to begin is filed under; the bare id is for the promotion, or for the end."""
    return f"{experiment_id}/canary"


def _without_evidence(kind: Kind, reason: str) -> Verdict:
    return Verdict(
        kind=kind,
        reason=reason,
        estimate=None,
        lower=None,
        upper=None,
        e_value=None,
        candidate_units=0,
        incumbent_units=0,
        criteria_json=canonical({"criteria": [], "refused_rows": {}}),
        evidence_hash=NO_EVIDENCE.hash,
        evidence_days=[],
    )


def _by_skill(candidates: pa.Table) -> dict[str, Sequence[Row]]:
    found: dict[str, list[Row]] = {}
    for row in candidates.to_pylist():
        found.setdefault(row["skill"], []).append(row)
    return dict(found)
