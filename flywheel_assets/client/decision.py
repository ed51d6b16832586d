"""`Decision`: what an agent is to use for one run, and how that travels on its spans."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from typing import NamedTuple, Protocol, TypeVar

Answer = TypeVar("Answer")


class SpanLike(Protocol):
    """As much of an OpenTelemetry span as is used here."""

    def is_recording(self) -> bool:
        """Whether attributes set on it go anywhere."""
        ...

    def set_attributes(self, attributes: Mapping[str, str | float]) -> None:
        """Set several attributes."""
        ...


class Decision(NamedTuple):
    """Model and prompt for one run, with everything that makes its outcome evidence later.

    `segment` is 'default' and `propensity` None where no routing document had a say. Where `gate` is
    not None, the models of `escalation` are asked in turn for as long as that gate does not pass the answer.
    """

    skill: str
    model: str
    prompt: str
    prompt_version: str
    arm: str | None
    segment: str
    propensity: float | None
    decision_id: str
    policy_id: str | None
    experiment_id: str | None
    unit_id: str
    candidate_set: str | None
    fallbacks: tuple[str, ...]
    context: Mapping[str, object] | None = None
    gate: str | None = None
    escalation: tuple[str, ...] = ()

    def answer(self, ask: Callable[[str], Answer], passes: Callable[[Answer], bool]) -> Answer:
        """What `ask` got from the first model whose answer `passes`, else from the last one.

        A decision without a gate asks its one model, and `passes` is not called. Whatever these raise comes through.
        """
        found = ask(self.model)
        for model in self.escalation:
            if passes(found):
                break
            found = ask(model)
        return found

    def attributes(self) -> dict[str, str | float]:
        """The `flywheel.*` attributes to put on the run's root span; absent where there is no value."""
        values = {
            "flywheel.skill.name": self.skill,
            "flywheel.decision.id": self.decision_id,
            "flywheel.policy.id": self.policy_id,
            "flywheel.experiment.id": self.experiment_id,
            "flywheel.arm": self.arm,
            "flywheel.segment": self.segment,
            "flywheel.propensity": self.propensity,
            "flywheel.unit.id": self.unit_id,
            "flywheel.candidate_set": self.candidate_set,
            "flywheel.context": _json(self.context) if self.context else None,
        }
        return {name: value for name, value in values.items() if value is not None}

    def attempts(self, seconds: float) -> Iterator[tuple[str, float]]:
        """The chosen model, then the fallbacks, each with the seconds that it may take.

        An attempt gets an equal part of the time that is left, so that one that hangs leaves time for the
        next ones, and one that fails at once gives them its own. Ends when no time is left.
        """
        end, chain = monotonic() + seconds, (self.model, *self.fallbacks)
        for at, model in enumerate(chain):
            left = end - monotonic()
            if left <= 0:
                return
            yield model, left / (len(chain) - at)

    def annotate(self, span: SpanLike) -> None:
        """Put the attributes on a span, if it is recording."""
        if span.is_recording():
            span.set_attributes(self.attributes())


def annotate_current(decision: Decision) -> None:
    """Put the decision on the current span. Where nobody imported OpenTelemetry, there is none."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is not None:
        decision.annotate(trace.get_current_span())


def _json(context: Mapping[str, object]) -> str | None:
    try:
        return json.dumps(context, sort_keys=True, default=str, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return None
