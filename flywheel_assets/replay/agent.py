"""One simulated agent run: decide by the real client, call a tool and a model, answer, be judged."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context, use_span
from opentelemetry.util.types import AttributeValue

from flywheel_assets.client.client import Client
from flywheel_assets.client.decision import Decision
from flywheel_assets.replay.planted import REPORTER, SLICE, Model, Truth, channel
from flywheel_assets.replay.requests import Request

SECOND = 1_000_000_000
# Of all runs, so many get an outcome; the others stay without one.
REPORTED = 0.90
ERRORS_AMONG_FAILURES = 0.12
RETRIED_CALLS = 0.06
FAILING_TOOLS = 0.05

_Attributes = dict[str, AttributeValue]


@dataclass(frozen=True, slots=True)
class Job:
    """One run to be done; `start` in nanoseconds since 1970. A stormy one always fails, and alike."""

    truth: Truth
    wave: int
    session: str
    user: str
    start: int
    asked: Request
    stormy: bool = False


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run decided, and its true probability of success."""

    decision: Decision
    expected: float


@dataclass(frozen=True, slots=True)
class Agent:
    """A simulated agent."""

    client: Client
    tracer: Tracer

    def run(self, job: Job, rng: Random) -> Ran:
        """Do one run. What is drawn from `rng` does not depend on the arm, so arms can be compared."""
        truth = job.truth
        luck, breaks, retried, reported, dice = (rng.random() for _ in range(5))
        rng = Random(dice)  # noqa: S311 - a simulation
        name = f"invoke_agent {truth.skill}-agent"
        root = self.tracer.start_span(name, kind=SpanKind.INTERNAL, start_time=job.start)
        with use_span(root):
            decision = self.client.decide(
                truth.skill,
                job.session,
                text=job.asked.text,
                context={SLICE: channel(job.session)},
                default_model=truth.models[0].name,
                default_prompt=truth.baseline_prompt,
            )
        expected = truth.success(decision.model, decision.prompt, job.wave)
        good = luck < expected and not job.stormy
        broken = not good and not job.stormy and breaks < ERRORS_AMONG_FAILURES
        model = next((one for one in truth.models if one.name == decision.model), truth.models[0])
        calls = [True, True] if broken else [True, False] if retried < RETRIED_CALLS else [False]
        end = self._work(root, model, job, calls, rng)
        root.set_attributes(_agent_attributes(job, None if broken else job.asked.right if good else job.asked.wrong))
        if broken:
            _fail(root, "SimulatedTimeout", "simulated timeout")
        if (truth.skill, decision.model) == (REPORTER.skill, REPORTER.model):
            praise = {"gen_ai.evaluation.name": "delight", "gen_ai.evaluation.score.value": 1.0}
            root.add_event("gen_ai.evaluation.result", praise, timestamp=end)
        # Checks speak before the run ends, on its span; people after it, on a span of their own.
        later = truth.tier == "human"
        if reported < REPORTED and not later:
            self._judge(root, job, good, end)
        root.end(end_time=end)
        if reported < REPORTED and later:
            self._judge(root, job, good, end + 300 * SECOND)
        return Ran(decision, expected)

    def _judge(self, root: Span, job: Job, good: bool, at: int) -> None:
        truth = job.truth
        self.client.feedback(
            "helpful" if truth.tier == "human" else "correct",
            float(good),
            run=root,
            tier=truth.tier,
            author=truth.author,
            author_version="1",
            at=datetime.fromtimestamp(at // SECOND, UTC) + timedelta(microseconds=at % SECOND // 1000),
            tracer=self.tracer,
            comment="as asked" if good else job.asked.complaint,
        )

    def _work(self, root: Span, model: Model, job: Job, calls: list[bool], rng: Random) -> int:
        """Tool and model calls under the root; when the run ends. `calls`: whether each model call fails."""
        at = self._tool(root, job.asked, job.start + SECOND // 50, rng)
        for failed in calls:
            at = self._chat(root, model, at, None if failed else _usage(model, job.asked, rng), rng)
        return at + SECOND // 100

    def _tool(self, root: Span, asked: Request, at: int, rng: Random) -> int:
        span = self._child(root, f"execute_tool {asked.tool}", SpanKind.INTERNAL, at)
        span.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": asked.tool})
        if rng.random() < FAILING_TOOLS:
            _fail(span, "ToolUnavailable", f"{asked.tool} is not available")
        end = at + int(rng.uniform(0.02, 0.3) * SECOND)
        span.end(end_time=end)
        return end

    def _chat(self, root: Span, model: Model, at: int, answered: _Attributes | None, rng: Random) -> int:
        span = self._child(root, f"chat {model.name}", SpanKind.CLIENT, at)
        provider = model.name.partition("/")[0]
        span.set_attributes({"gen_ai.provider.name": provider, "gen_ai.request.model": model.name})
        span.set_attribute("gen_ai.operation.name", "chat")
        if answered is None:
            _fail(span, "rate_limit", "simulated rate limit")
        else:
            span.set_attributes(answered)
        end = at + int(model.seconds * rng.lognormvariate(0, 0.3) * SECOND)
        span.end(end_time=end)
        return end

    def _child(self, root: Span, name: str, kind: SpanKind, at: int) -> Span:
        return self.tracer.start_span(name, set_span_in_context(root), kind=kind, start_time=at)


def _usage(model: Model, asked: Request, rng: Random) -> _Attributes:
    return {
        "gen_ai.response.model": model.name,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": len(asked.text) // 3,
        "gen_ai.usage.output_tokens": len(asked.right) // 3,
        "gen_ai.usage.cost": model.cost_usd * rng.uniform(0.8, 1.25),
    }


def _fail(span: Span, kind: str, message: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, message))


def _agent_attributes(job: Job, answer: str | None) -> _Attributes:
    attributes: _Attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": f"{job.truth.skill}-agent",
        "gen_ai.conversation.id": job.session,
        "user.id": job.user,
        "gen_ai.input.messages": _message("user", job.asked.text),
    }
    return attributes if answer is None else attributes | {"gen_ai.output.messages": _message("assistant", answer)}


def _message(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}], ensure_ascii=False)
