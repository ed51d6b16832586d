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
from flywheel_assets.decisions.eprocess import Reals
from flywheel_assets.decisions.evidence import Evidence
from flywheel_assets.decisions.judge import Kind, Verdict, judge
from flywheel_assets.decisions.ledger import chain
from flywheel_assets.decisions.lifecycle import Canary, Shadow
from flywheel_assets.decisions.looks import CandidateSeen, LookManifest, manifest_json
from flywheel_assets.decisions.register import Proposal, Row, proposals, register
from flywheel_assets.decisions.rollout import SkillState, advance, rollout
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
        turn.look_at_trial(name)
    for name in turn.states:
        turn.register_next(name)
    return turn.close()


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
        under_way = [state.trial for state in self.states.values() if state.trial]
        promoted = {name: state.promoted.promoted_at for name, state in self.states.items() if state.promoted}
        self.con = evidence.of_turn(inputs.con, under_way, promoted)

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
        if state.on_trial is not None:
            self._look(name, state.on_trial.registration, incumbent_rolled_back=True)
        look = LookManifest(since=promotion.promoted_at, asked_by=asked_by)
        self._draft(name, promotion.registration, outcome, look, (found, arguments.of_rollback(watched)))

    def look_at_trial(self, name: str) -> None:
        """Conclude the open trial, say what is missing, or let one that waited begin."""
        on_trial = self.states[name].on_trial
        if isinstance(on_trial, Shadow):
            self._look_at_shadow(name, on_trial.registration)
        elif on_trial is not None:
            self._look(name, on_trial.registration, incumbent_rolled_back=False)

    def register_next(self, name: str) -> None:
        """Open a trial where none is open and something may be tried."""
        state, skill = self.states[name], self.inputs.skills.skills[name]
        if state.on_trial is not None:
            return
        found = proposals(state, skill, self.routing.get(name, ()), self.prompts.get(name, ()))
        if found:
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

    def _look(self, name: str, registration: Registration, *, incumbent_rolled_back: bool) -> None:
        conditions = Conditions(
            predecessor_known=self._known(name, registration.incumbent_arm),
            approved=self.inputs.approvals.get(registration.experiment_id),
            incumbent_rolled_back=incumbent_rolled_back,
            as_of=self.inputs.now,
            identical=self.inputs.identical,
        )
        found = evidence.of_trial(self.con, registration)
        outcome = judge(registration, found, conditions)
        if outcome.kind == "held":
            on_trial = self.states[name].on_trial
            seen = on_trial.seen if isinstance(on_trial, Canary) else None
            if outcome.evidence_hash != (seen or NO_EVIDENCE.hash):
                self._draft(name, registration, outcome, LookManifest(conditions=conditions), None)
            return
        weights = arguments.of_trial(Trial(registration, found, conditions))
        self._draft(name, registration, outcome, LookManifest(conditions=conditions), (found, weights))

    def _look_at_shadow(self, name: str, registration: Registration) -> None:
        """A person's word, given while it had no traffic, begins or ends it; until then nothing is written."""
        answers = self.inputs.approvals
        if answers.get(registration.experiment_id) is False:
            self._look(name, registration, incumbent_rolled_back=False)
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
