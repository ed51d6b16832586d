"""Values that Inngest keeps beside a run's spans: model calls, scores, experiments.

A model call that the app traced itself shows twice, on its span and summed up on its step: the span's counts.
Scores that come later change nothing else. Of an experiment the propensity is what the strategy gave the
variant; a `custom` strategy does not say.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

import orjson
from pydantic import ValidationError

from flywheel_assets.sources.plain_spans import PlainSpan, hex_id, mapping, nanoseconds
from flywheel_assets.sources.verdicts import Said, verdict

Plain = Mapping[str, object]
CALL, EXPERIMENT = "flywheel.inngest.call", "flywheel.inngest.experiment"
AI = {
    "gen_ai.operation.name": "operation_name",
    "gen_ai.provider.name": "provider",
    "gen_ai.request.model": "request_model",
    "gen_ai.response.model": "response_model",
    "gen_ai.response.id": "response_id",
    "gen_ai.response.finish_reasons": "finish_reasons",
    "gen_ai.usage.input_tokens": "input_tokens",
    "gen_ai.usage.output_tokens": "output_tokens",
    "gen_ai.usage.cache_read.input_tokens": "cache_read_tokens",
    "gen_ai.usage.cache_creation.input_tokens": "cache_creation_tokens",
    "gen_ai.usage.reasoning.output_tokens": "reasoning_tokens",
    "flywheel.inngest.estimated_cost": "estimated_cost",
}
_NEVER = "0001-01-01"


def calls_of(run_id: str, trace_id: str, who: Plain, tree: Plain, start: int) -> Iterator[PlainSpan]:
    """One span for each model call, once."""
    for span, values in _innermost_ai(tree):
        began = nanoseconds(span.get("startedAt")) or nanoseconds(span.get("queuedAt")) or start
        asked = {name: values[key] for name, key in AI.items() if key in values}
        yield PlainSpan(
            trace_id=trace_id,
            span_id=hex_id(f"{CALL} {run_id} {span.get('id')}", 16),
            parent_id=hex_id(f"flywheel.inngest.status {run_id}", 16),
            name=CALL,
            start=began,
            end=max(began, nanoseconds(span.get("endedAt"))),
            kind=3,
            status=2 if str(span.get("status")) in ("FAILED", "ERRORED") else 0,
            attributes={**who, "gen_ai.operation.name": "chat", **asked, "_inngest.step.id": span.get("stepId")},
        )


def scores_of(run_id: str, tree: Plain, otherwise: datetime) -> tuple[list[bytes], int]:
    """Posted feedback, one line a score; and how many say nothing (no name, no value)."""
    lines: list[bytes] = []
    silent = 0
    for values, updated in _of_kind(tree, "inngest.score"):
        for name, given in values.items():
            number = mapping(given).get("value") if isinstance(given, Mapping) else given
            at = otherwise if updated.startswith(_NEVER) or not updated else updated
            said = Said(name, number, None, None, "check", f"inngest.score/{name}", at)
            try:
                lines.append(orjson.dumps(verdict("run", run_id, said).model_dump(mode="json", exclude_none=True)))
            except ValidationError:
                silent += 1
    return sorted(lines), silent


def experiments_of(run_id: str, trace_id: str, who: Plain, tree: Plain, at: int) -> Iterator[PlainSpan]:
    """One span for each experiment that the run took part in."""
    for values, _ in _of_kind(tree, "inngest.experiment"):
        name, variant = values.get("name") or values.get("experiment_name"), values.get("variant")
        if not name:
            continue
        yield PlainSpan(
            trace_id=trace_id,
            span_id=hex_id(f"{EXPERIMENT} {run_id} {name}", 16),
            parent_id=hex_id(f"flywheel.inngest.status {run_id}", 16),
            name=EXPERIMENT,
            start=at,
            end=at,
            attributes={
                **who,
                "flywheel.experiment.id": f"inngest/{name}",
                "flywheel.propensity": propensity(values),
                "flywheel.candidate_set": orjson.dumps(_variants(values)).decode() if _variants(values) else None,
                "inngest.experiment.name": name,
                "inngest.experiment.variant": variant,
                "inngest.experiment.selection_strategy": values.get("selection_strategy"),
            },
        )


def propensity(values: Plain) -> float | None:
    """Probability with which the variant was drawn; None where the strategy does not say."""
    variant, strategy = str(values.get("variant")), values.get("selection_strategy")
    weights = {name: float(str(weight)) for name, weight in mapping(values.get("variant_weights")).items()}
    if strategy == "fixed":
        return 1.0
    if strategy == "bucket" and not weights:
        weights = dict.fromkeys(_variants(values), 1.0)
    total = sum(weights.values())
    return weights[variant] / total if strategy in ("weighted", "bucket") and total and variant in weights else None


def _variants(values: Plain) -> list[str]:
    given = values.get("available_variants")
    return [str(one) for one in given] if isinstance(given, list) else sorted(mapping(values.get("variant_weights")))


def _innermost_ai(span: Plain) -> list[tuple[Plain, dict[str, object]]]:
    """Spans with values of a model call, without those that only sum up what is below them."""
    below = [found for child in _children(span) for found in _innermost_ai(child)]
    own = [(span, _read(mapping(one.get("values")))) for one in _metadata(span) if one.get("kind") == "inngest.ai"]
    return below or own


def _of_kind(span: Plain, kind: str) -> Iterator[tuple[Plain, str]]:
    for one in _metadata(span):
        if one.get("kind") == kind:
            yield _read(mapping(one.get("values"))), str(one.get("updatedAt") or "")
    for child in _children(span):
        yield from _of_kind(child, kind)


def _children(span: Plain) -> list[Plain]:
    given = span.get("children")
    return [mapping(one) for one in given] if isinstance(given, list) else []


def _metadata(span: Plain) -> list[Plain]:
    given = span.get("metadata")
    return [mapping(one) for one in given] if isinstance(given, list) else []


def _read(values: Plain) -> dict[str, object]:
    """The values, each of which is sent as JSON text."""
    return {name: _loaded(value) for name, value in values.items()}


def _loaded(value: object) -> object:
    try:
        return orjson.loads(value) if isinstance(value, str) else value
    except orjson.JSONDecodeError:
        return value
