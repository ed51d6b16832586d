"""What the benchmarks' runs are made of: chance and prose from a seed, spans, and a run that adds them.

Which spans a run has, by the kind of agent, is in `workload.py`.
"""

from dataclasses import dataclass, field

import numpy as np

Value = str | int | float | bool | list[str]

SKILLS = ("refund", "triage", "summarise", "sql-answer", "review", "translate", "plan-trip", "extract")
# Chance that a run succeeds, per model: the planted truth of the benchmark's routing question.
MODELS = {"openai/gpt-4o-mini": 0.71, "anthropic/claude-haiku-4": 0.78, "google/gemini-flash": 0.74}


@dataclass(slots=True)
class Span:
    """One span before it is encoded; `attributes` and events' attributes are plain values."""

    service: int
    trace_id: bytes
    span_id: bytes
    parent: bytes
    name: str
    kind: int
    start: int
    end: int
    attributes: dict[str, Value]
    status: int = 0
    message: str = ""
    events: list[tuple[int, str, dict[str, Value]]] = field(default_factory=list)


class Source:
    """Random numbers and prose; everything else is drawn from it, so that a seed fixes all."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        syllables = np.array(["ba", "co", "di", "fer", "gan", "ho", "in", "jo", "ka", "lu", "men", "or", "pa", "ter"])
        words = np.array(["".join(self.rng.choice(syllables, n)) for n in self.rng.integers(1, 5, 4000)], object)
        # Words are as uneven as in prose, so that texts compress about as prose does.
        uneven = 1 / (np.arange(len(words)) + 2.7)
        picks = words[self.rng.choice(len(words), 1_200_000, p=uneven / uneven.sum())]
        marks = np.array([" ", ".\n"], object)[(self.rng.random(len(picks)) < 0.06).astype(int)]
        self.pool = "".join((picks + marks).tolist())
        self.buffer: list[float] = []
        self.noise, self.used = b"", 0

    def chance(self) -> float:
        """A number in [0, 1)."""
        if not self.buffer:
            self.buffer = self.rng.random(65536).tolist()
        return self.buffer.pop()

    def below(self, n: int) -> int:
        """A whole number in [0, n)."""
        return int(self.chance() * n)

    def prose(self, mean: int) -> str:
        """Text of about `mean` characters."""
        length = int(mean * (0.3 + 1.4 * self.chance()))
        start = self.below(len(self.pool) - length)
        return self.pool[start : start + length]

    def ids(self, n: int) -> bytes:
        """`n` bytes of an id."""
        if len(self.noise) < self.used + n:
            self.noise, self.used = self.rng.bytes(1 << 20), 0
        self.used += n
        return self.noise[self.used - n : self.used]


class Run:
    """Builds the spans of one run; the clock moves as spans are added."""

    def __init__(self, source: Source, service: int, start: int) -> None:
        self.source, self.service, self.clock = source, service, start
        self.trace_id = source.ids(16)
        self.spans: list[Span] = []
        self.skill = SKILLS[source.below(len(SKILLS))]
        self.model = list(MODELS)[source.below(len(MODELS))]
        self.good = source.chance() < MODELS[self.model] - 0.02 * SKILLS.index(self.skill)
        self.session = f"session-{source.below(200_000):06d}"

    def add(self, name: str, kind: int, took: float, attributes: dict[str, Value], parent: Span | None) -> Span:
        """A span that starts now and lasts about `took` milliseconds."""
        begin = self.clock
        self.clock += int(took * 1e6 * (0.5 + self.source.chance()))
        span_id = self.source.ids(8)
        above = parent.span_id if parent else b""
        span = Span(self.service, self.trace_id, span_id, above, name, kind, begin, self.clock, attributes)
        self.spans.append(span)
        return span

    def fail(self, span: Span, kind: str, message: str) -> None:
        """Mark the span as failed, with its exception event."""
        span.status, span.message = 2, message
        details: dict[str, Value] = {
            "exception.type": kind,
            "exception.message": message,
            "exception.stacktrace": f'Traceback:\n  File "app.py", line 7\n{self.source.prose(400)}',
        }
        span.events.append((span.end, "exception", details))

    def decide(self, span: Span) -> None:
        """What the flywheel client writes when it has decided the model."""
        canary = self.source.chance() < 0.2
        span.attributes |= {
            "flywheel.decision.id": self.source.ids(16).hex(),
            "flywheel.policy.id": "policy-3f2a",
            "flywheel.skill.name": self.skill,
            "flywheel.skill.version": "2",
            "flywheel.arm": f"{self.model}|v3|-",
            "flywheel.segment": "canary" if canary else "production",
            "flywheel.propensity": 0.2 if canary else 0.8,
            "flywheel.unit.id": self.session,
            "flywheel.candidate_set": [f"{model}|v3|-" for model in MODELS],
        }

    def evaluate(self, span: Span) -> None:
        """An evaluation event with the run's planted outcome."""
        score: dict[str, Value] = {
            "gen_ai.evaluation.name": "task_success",
            "gen_ai.evaluation.score.value": 1.0 if self.good else 0.0,
            "gen_ai.evaluation.score.label": "pass" if self.good else "fail",
            "flywheel.label.source_tier": "outcome",
            "flywheel.evaluator.id": "checker",
        }
        span.events.append((span.end + 1000, "gen_ai.evaluation.result", score))
