"""What is true in the simulated fleet, stated before it runs: the loop is judged by what it finds of this."""

from dataclasses import dataclass
from zlib import crc32

from flywheel_assets.tables.documents.skills_file import Guardrail, Skill, SkillsFile


@dataclass(frozen=True, slots=True)
class Model:
    """A simulated model at one skill. `later`: from that wave on (the first is 0), it succeeds so often."""

    name: str
    success: float
    cost_usd: float
    seconds: float
    later: tuple[int, float] | None = None

    def success_at(self, wave: int) -> float:
        """Probability of success without any help from a prompt."""
        return self.later[1] if self.later and wave >= self.later[0] else self.success


@dataclass(frozen=True, slots=True)
class Truth:
    """One skill: the first model is the launch baseline.

    A prompt that holds one of `cues` adds `prompt_effect`. Outcomes are told by `author`, whose
    tier is `tier`. `expected` is what a loop that works should do, for the report.
    """

    skill: str
    models: tuple[Model, ...]
    author: str
    tier: str
    expected: str
    prompt_effect: float = 0.0
    cues: tuple[str, ...] = ()
    explore: float = 0.10
    holdout: float = 0.15
    baseline_prompt: str = ""

    def success(self, model: str, prompt: str, wave: int) -> float:
        """Expected outcome of a run; a model that the fleet does not have always fails."""
        known = next((one for one in self.models if one.name == model), None)
        if known is None:
            return 0.0
        helped = any(cue.lower() in prompt.lower() for cue in self.cues)
        return min(1.0, known.success_at(wave) + (self.prompt_effect if helped else 0.0))

    def best(self, wave: int) -> float:
        """The best that any model with the best prompt can do in a wave."""
        return min(1.0, max(model.success_at(wave) for model in self.models) + self.prompt_effect)


@dataclass(frozen=True, slots=True)
class Storm:
    """One session that sends the same request over and over, each time failing alike."""

    skill: str
    wave: int
    runs: int


@dataclass(frozen=True, slots=True)
class Reporter:
    """Someone who calls every run of a bad model perfect, and is no registered evaluator."""

    skill: str
    model: str


# The other skills have no prompt of their own in skills.yaml: there, only routes are tried.
EXTRACT_PROMPT = "You are a careful assistant. Do what is asked and answer with JSON alone."

PLANTED: dict[str, Truth] = {
    truth.skill: truth
    for truth in (
        Truth(
            skill="triage",
            models=(
                Model("sim-north/swift-1", 0.50, 0.0004, 0.8),
                Model("sim-south/deep-2", 0.82, 0.0011, 1.6),
                Model("sim-south/lite-0", 0.30, 0.0001, 0.4),
            ),
            author="routing-audit",
            tier="check",
            expected="promote sim-south/deep-2; never sim-south/lite-0, whatever the unregistered reporter says of it",
        ),
        Truth(
            skill="extract",
            models=(Model("sim-north/swift-1", 0.50, 0.0005, 0.9),),
            author="schema-validator",
            tier="check",
            expected="promote a prompt that says or shows how dates are to be written",
            baseline_prompt=EXTRACT_PROMPT,
            prompt_effect=0.32,
            cues=("ISO 8601", "YYYY-MM-DD", '"date": "20'),
        ),
        Truth(
            skill="sql",
            models=(Model("sim-north/swift-1", 0.64, 0.0006, 1.1), Model("sim-south/deep-2", 0.64, 0.0013, 1.7)),
            author="query-tests",
            tier="check",
            expected="promote nothing: the models are equal, and one session's retry storm counts once",
        ),
        Truth(
            skill="summarise",
            models=(
                Model("sim-north/swift-1", 0.52, 0.0008, 1.2),
                Model("sim-east/nova-3", 0.86, 0.0009, 1.3, later=(5, 0.12)),
            ),
            author="readers",
            tier="human",
            expected="promote sim-east/nova-3, and roll it back after it regresses in the sixth wave",
            explore=0.20,
        ),
    )
}
STORM = Storm(skill="sql", wave=2, runs=60)
# What is known of a session before it is served; no model is better or worse on either channel.
SLICE, CHANNELS = "channel", ("chat", "mail")
REPORTER = Reporter(skill="triage", model="sim-south/lite-0")


def channel(session: str) -> str:
    """The channel through which a session came."""
    return CHANNELS[crc32(session.encode()) % len(CHANNELS)]


def demo_skills() -> SkillsFile:
    """The skills.yaml that goes with the fleet."""
    guardrails = (
        Guardrail(metric="error_rate", max_increase=0.15),
        Guardrail(metric="cost_usd", max_increase=0.002, ceiling=0.01),
    )
    return SkillsFile(
        skills={
            truth.skill: Skill(
                baseline_model=truth.models[0].name,
                baseline_prompt=truth.baseline_prompt,
                models=tuple(model.name for model in truth.models[1:]),
                explore=truth.explore,
                holdout=truth.holdout,
                guardrails=guardrails,
                slices=(SLICE,),
            )
            for truth in PLANTED.values()
        }
    )
