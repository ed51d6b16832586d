"""Stage 6 in Dagster: what is worth trying next."""

from collections.abc import Mapping, Sequence

import dagster as dg
import pyarrow as pa

from flywheel_assets.artifacts.policies import known_policies
from flywheel_assets.artifacts.prompts import known_prompts
from flywheel_assets.candidates.prompts.incumbent import IncumbentPrompt
from flywheel_assets.candidates.prompts.pairs import corrected
from flywheel_assets.candidates.prompts.propose import propose_prompts, teaching
from flywheel_assets.candidates.prompts.search import with_variants
from flywheel_assets.candidates.prompts.written import Variant, checked, variants_in
from flywheel_assets.candidates.routing.cascades import with_cascades
from flywheel_assets.candidates.routing.policies import in_production, with_policies, withheld
from flywheel_assets.candidates.routing.propose import propose_routes
from flywheel_assets.decisions.off_policy.routes import with_counterfactuals
from flywheel_assets.decisions.rollout import rollout
from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.conservation import conserves
from flywheel_assets.defs.graph import specs
from flywheel_assets.defs.report import Results
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.whole_steps import compute
from flywheel_assets.lake.lake import Lake
from flywheel_assets.observations.injection import THRESHOLD, probability, signals
from flywheel_assets.observations.personal import find_personal
from flywheel_assets.observations.secret_patterns import find_secrets
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.corrections import CORRECTIONS
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.skills_file import SkillsFile
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES
from flywheel_assets.tables.skill_scores import SKILL_SCORES
from flywheel_assets.tables.steps import PROPOSE_PROMPTS, PROPOSE_ROUTES

RED = {
    "routing_candidates": "materialise it again. No proposal is no fault: `reason` says what is missing.",
    "prompt_candidates": "materialise it again. No proposal is no fault: `reason` says what is missing.",
}

# Of the draws. Always the same, so that a proposal changes only when scores or production do.
SEED = 0


@dg.multi_asset(name=PROPOSE_ROUTES.name, specs=specs(PROPOSE_ROUTES, RED))
def routes(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Which other arms, contextual policies and cascades over them are worth a trial."""
    lake, skills = wheel.lake(), wheel.skills()
    yield from compute(
        context, lake, PROPOSE_ROUTES, lambda: (found_routes(lake, skills), {"seed": SEED}), skills.model_dump_json()
    )


def found_routes(lake: Lake, skills: SkillsFile) -> pa.Table:
    """ROUTING_CANDIDATES from scores, the ledger and what the log says."""
    con = lake.connect([GATED_OBSERVATIONS, AGENT_RUNS, FEEDBACK])
    ledger = lake.read(PROMOTION_DECISIONS)
    arms, rules = (
        {name: state.production_arm for name, state in rollout(ledger, skills).items()},
        known_policies(ledger),
    )
    known = in_production(con, skills, arms, rules)
    proposed = propose_routes(lake.read(SKILL_SCORES), skills, arms, SEED, known)
    learned = withheld(with_policies(proposed, con, skills, rules), secret_in)
    return with_counterfactuals(with_cascades(learned, con, skills, SEED), con)


@dg.multi_asset(name=PROPOSE_PROMPTS.name, specs=specs(PROPOSE_PROMPTS, RED))
def prompts(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Which other prompts are worth a trial; one that was tried is not proposed again."""
    lake, skills, incumbents = wheel.lake(), wheel.skills(), incumbent_prompts(wheel)
    written = variants_in(wheel.places().prompts)
    yield from compute(
        context,
        lake,
        PROPOSE_PROMPTS,
        lambda: (found_prompts(lake, skills, incumbents, written), {}),
        skills.model_dump_json(),
        f"{incumbents}",
        f"{written}",
    )


def found_prompts(
    lake: Lake, skills: SkillsFile, incumbents: Mapping[str, IncumbentPrompt], written: Sequence[Variant]
) -> pa.Table:
    """PROMPT_CANDIDATES: compiled from what runs taught, and written by people."""
    tried = {Arm.parse(arm).prompt_version for arm in lake.read(PROMOTION_DECISIONS)["candidate_arm"].to_pylist()}
    observations = teaching(lake.connect([GATED_OBSERVATIONS]), incumbents)
    shown = corrected(lake.read(CORRECTIONS), unteachable)
    compiled = propose_prompts(observations, skills, incumbents, frozenset(tried), shown)
    variants = checked(written, incumbents, secret_in)
    return with_variants(compiled, variants, incumbents, frozenset(tried), lake.read(SKILL_SCORES))


def unteachable(text: str) -> str | None:
    """Why what somebody posted must not get into a prompt: it came past the gates."""
    if secret := secret_in(text):
        return secret
    return "personal data" if find_personal(text) else "instructions" if _planted(text) else None


def _planted(text: str) -> bool:
    return bool(probability(signals(pa.array([text])))[0] >= THRESHOLD)


def secret_in(text: str) -> str | None:
    """Why a text must not be published: whoever loads prompts would read it."""
    kinds = sorted({one.kind for one in find_secrets(text)})
    return f"holds what looks like a secret: {', '.join(kinds)}" if kinds else None


def incumbent_prompts(wheel: WheelResource) -> dict[str, IncumbentPrompt]:
    """The prompt in production of every skill whose text is known; '-' is the prompt that nobody stated."""
    skills = wheel.skills()
    known = known_prompts(wheel.places().artifacts, skills, PROMPT_CANDIDATES.empty())
    found: dict[str, IncumbentPrompt] = {}
    texts: dict[str, dict[str, str]] = {}
    for (name, version), document in known.items():
        texts.setdefault(name, {})[version] = document.text
    for name, state in rollout(wheel.lake().read(PROMOTION_DECISIONS), skills).items():
        version = Arm.parse(state.production_arm).prompt_version
        if version == "-":
            found[name] = IncumbentPrompt("-", "", state.production_arm)
        elif (name, version) in known:
            found[name] = IncumbentPrompt(version, texts[name][version], state.production_arm, texts[name])
    return found


candidates_checks = stage_checks(
    "candidates", [conserves(ROUTING_CANDIDATES, "scores_to_routes", [SKILL_SCORES, ROUTING_CANDIDATES])]
)
