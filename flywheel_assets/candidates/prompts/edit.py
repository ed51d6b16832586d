"""Edits by a model: GEPA rewrites the prompt in production by what the training pool shows of it.

Runs are dealt by session into two pools. The optimiser sees the training pool alone; the gate pool is
asked once, about what came of it, and each time that it is asked is a consultation to be logged: asked
often enough, it would let anything through. What it lets through is a candidate and no more than that.

Source: Agrawal et al., "GEPA: reflective prompt evolution can outperform reinforcement learning", 2025.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flywheel_assets.candidates.prompts.material import Run

if TYPE_CHECKING:
    from gepa.adapters.default_adapter.default_adapter import DefaultDataInst, EvaluationResult

# Messages and temperature → what the model says; raises SpentError.
Ask = Callable[[Sequence[Mapping[str, str]], float], str]
LEAST_TRAINING, LEAST_GATE = 12, 6
MOST_TRAINING, MOST_GATE = 60, 30
# The model's own text must not grow without end.
MOST_CHARACTERS = 20_000


class SpentError(Exception):
    """The budget of calls is used up."""


@dataclass(frozen=True, slots=True)
class Pools:
    """Runs whose right answer is known, in two parts that share no session."""

    training: tuple[Run, ...]
    gate: tuple[Run, ...]

    @property
    def fault(self) -> str | None:
        """Why nothing can be learned from them."""
        if len(self.training) < LEAST_TRAINING or len(self.gate) < LEAST_GATE:
            had = f"{len(self.training)} runs to learn from and {len(self.gate)} to check with"
            return f"too few: {had}, {LEAST_TRAINING} and {LEAST_GATE} are needed"
        return None


@dataclass(frozen=True, slots=True)
class Consultation:
    """One question to the gate pool: how a text did on it, beside the one in production."""

    text: str
    score: float
    incumbent: float

    @property
    def passed(self) -> bool:
        """Whether the text did better."""
        return self.score > self.incumbent


def pools(runs: Sequence[Run]) -> Pools:
    """Successes of one prompt, the newest first, dealt by session: three parts to learn from, one to check with."""
    known = [run for run in reversed(runs) if run.good and run.answer and not run.error]
    gate = [run for run in known if hashlib.sha256(run.session.encode()).digest()[0] < 64]
    training = [run for run in known if run not in gate]
    return Pools(tuple(training[:MOST_TRAINING]), tuple(gate[:MOST_GATE]))


def edit(text: str, found: Pools, ask: Ask, budget: int, seed: int) -> str:
    """The best text that GEPA finds on the training pool within so many calls; `text` itself where none is better."""
    from gepa.api import optimize

    calls = Counter[str]()

    def counted(messages: Sequence[Mapping[str, str]], temperature: float) -> str:
        calls["made"] += 1
        return ask(messages, temperature)

    training: list[Any] = [_item(run) for run in found.training]
    result = optimize(
        seed_candidate={"prompt": text},
        trainset=training,
        valset=training,
        task_lm=lambda messages: counted([_said(one["role"], one["content"]) for one in messages], 0.0),
        evaluator=_evaluated,
        reflection_lm=lambda prompt: counted([{"role": "user", "content": str(prompt)}], 1.0),
        max_metric_calls=budget,
        # One more round asks for a new text, tries it on a few and, if that goes well, on all.
        stop_callbacks=[lambda gepa_state: calls["made"] + len(training) + 8 > budget],  # noqa: ARG005 - GEPA names it
        logger=_Silent(),
        seed=seed,
    )
    best = result.candidates[result.best_idx]["prompt"]
    return best if result.val_aggregate_scores[result.best_idx] > result.val_aggregate_scores[0] else text


def consult(text: str, incumbent: str, gate: Sequence[Run], ask: Ask) -> Consultation:
    """Ask the gate pool about a text. Costs two calls for each of its runs."""
    scores = [
        sum(agreement(run.answer, ask([_said("system", prompt), _said("user", run.question)], 0.0)) for run in gate)
        for prompt in (text, incumbent)
    ]
    return Consultation(text, scores[0] / len(gate), scores[1] / len(gate))


def agreement(expected: str, answer: str) -> float:
    """1 where two answers are the same but for case, spaces and marks; else the F1 of their words."""
    wanted, said = (
        Counter("".join(c if c.isalnum() else " " for c in text.lower()).split()) for text in (expected, answer)
    )
    shared = sum((wanted & said).values())
    return 2 * shared / (wanted.total() + said.total()) if shared else float(not wanted and not said)


def _item(run: Run) -> dict[str, object]:
    return {"input": run.question, "additional_context": {}, "answer": run.answer}


def _said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _evaluated(data: "DefaultDataInst", response: str) -> "EvaluationResult":
    from gepa.adapters.default_adapter.default_adapter import EvaluationResult

    score = agreement(data["answer"], response)
    said = "This is right." if score == 1 else f"An answer that was found to be right: {data['answer']}"
    return EvaluationResult(score, said, None)


class _Silent:
    """Standard output belongs to the command's answer."""

    def log(self, message: str) -> None:
        """Nothing."""
