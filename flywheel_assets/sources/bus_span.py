"""One event of a system bus → one OTLP/JSON span, its ids derived from what it speaks of.

Ids are hashes, so whichever door an event comes through, and however often, it is the same span. An
event that names the work it is about is known by its content, because a replay emits it again under
a new id; any other by its own id.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson

from flywheel_assets.sources.bus_event import Event, digest
from flywheel_assets.sources.bus_units import Unit, unit_of

Attribute = Mapping[str, object]

# What names the work that an event is about: with it, equal content is the same event emitted again.
ABOUT = (
    "requestId", "eventId", "taskId", "workflowId", "correlationId", "flowId", "messageId", "snapshotId", "streamId",
    "rawEventId", "run_id", "runId", "storyId", "story_id",
)  # fmt: skip
# Says `success: false` of a call that succeeded: only its token counts are missing.
NO_FAILURE = frozenset({"model_router.usage_missing"})
FAILING_LEVELS = frozenset({"warn", "error", "fatal"})
UNSET, OK, ERROR = 0, 1, 2
USAGE = {
    "inputTokens": "system_bus.usage.input_tokens",
    "outputTokens": "system_bus.usage.output_tokens",
    "cacheReadTokens": "system_bus.usage.cache_read_tokens",
    "cacheWriteTokens": "system_bus.usage.cache_write_tokens",
    "costTotal": "system_bus.usage.cost_usd",
}
# A judge that could not be asked lets everything pass, and says so only in its reasons.
UNAVAILABLE = re.compile(
    r"unavailable|falling back|fallback|not available|could not (be )?(reach|evaluat)", re.IGNORECASE
)
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{2,60}")
EXITED = re.compile(r"exited \d+: ([A-Za-z][A-Za-z0-9_.-]{2,60})")


@dataclass(frozen=True, slots=True)
class Known:
    """An event with its unit and its identity as a span."""

    event: Event
    unit: Unit | None
    span_id: str
    trace_id: str


def known(event: Event) -> Known:
    """The ids that the event has as a span, whoever delivers it."""
    unit = unit_of(event)
    about = event.text(*ABOUT)
    span = digest("event", event.signature if unit or about else event.id)[:16]
    if unit is not None:
        return Known(event, unit, _root(unit) if unit.opens else span, digest("trace", unit.trace))
    # What a workflow says of itself is beside what its nodes say.
    workflow = event.text("workflowId")
    trace = digest("trace", f"node/{workflow}") if workflow else digest("alone", about or event.id)
    return Known(event, None, span, trace)


def span_of(one: Known) -> dict[str, object]:
    """The span. Without a time it starts at 0, which landing sets aside."""
    event, unit = one.event, one.unit
    span: dict[str, object] = {
        "traceId": one.trace_id,
        "spanId": one.span_id,
        "name": event.action,
        "kind": 1,
        "startTimeUnixNano": str(event.start_ns),
        "endTimeUnixNano": str(event.end_ns),
        "attributes": [attribute(key, value) for key, value in _attributes(event, unit) if value is not None],
        "status": {"code": _status(event, unit), **({"message": event.error} if event.error else {})},
    }
    if unit is not None and not unit.opens and unit.kind != "run":
        span["parentSpanId"] = _root(unit)
    if unit is not None and (said := list(_evaluations(event, unit))):
        span["events"] = [
            {
                "timeUnixNano": str(event.end_ns),
                "name": "gen_ai.evaluation.result",
                "attributes": [attribute(key, value) for key, value in one.items()],
            }
            for one in said
        ]
    return span


def attribute(key: str, value: object) -> Attribute:
    """An OTLP/JSON attribute; what is neither text nor a number nor a flag is JSON text."""
    match value:
        case bool():
            return {"key": key, "value": {"boolValue": value}}
        case int() if -(2**63) <= value < 2**63:
            return {"key": key, "value": {"intValue": str(value)}}
        case float():
            return {"key": key, "value": {"doubleValue": value}}
        case str():
            return {"key": key, "value": {"stringValue": value}}
        case _:
            return {"key": key, "value": {"stringValue": orjson.dumps(value, default=str).decode()}}


def _root(unit: Unit) -> str:
    return digest("root", unit.id)[:16]


def _attributes(event: Event, unit: Unit | None) -> Iterator[tuple[str, object]]:
    yield "system_bus.id", event.id
    yield "system_bus.action", event.action
    yield "system_bus.component", event.component
    yield "system_bus.level", event.level
    yield "system_bus.success", event.success
    yield "system_bus.operation", unit.operation if unit else "other"
    yield "system_bus.session.id", event.session
    yield "system_bus.error.type", _error_type(event)
    yield "system_bus.policy.version", event.text("policyVersion")
    if event.action == "skill.read":
        yield "system_bus.skill", event.text("skill")
    if unit is not None:
        yield from _of_unit(event, unit)
    yield from _usage(event)
    for key, value in event.metadata.items():
        yield f"system_bus.metadata.{key}", value


def _of_unit(event: Event, unit: Unit) -> Iterator[tuple[str, object]]:
    yield "system_bus.unit.id", unit.id
    yield "system_bus.outcome", unit.outcome
    yield "system_bus.agent", event.text("agentName", "agent")
    if unit.kind == "node":
        yield "system_bus.unit.target", "/".join(filter(None, (event.text("pipeline"), event.text("nodeId"))))
    elif unit.kind == "story":
        yield "system_bus.unit.target", "agent-loop"
        # Coding tools are what an agent loop chooses between.
        yield "system_bus.model", event.text("tool")
    elif unit.kind == "request":
        yield "system_bus.unit.target", event.component
    if unit.operation in {"llm", "agent"}:
        # Only of what was carried out: a model that was merely planned, or skipped, has done nothing.
        yield "system_bus.model", event.text("model")
        yield "system_bus.provider", event.text("provider")
    index = event.number("attemptIndex")
    if unit.kind == "request" and index is not None and event.action not in NO_FAILURE:
        yield "system_bus.attempt", int(index) + 1


def _usage(event: Event) -> Iterator[tuple[str, object]]:
    usage = event.metadata.get("usage")
    # Counts that were not captured may be there as zeros.
    missing = event.metadata.get("usageCaptured") is False or event.metadata.get("usageCoverage") == "missing"
    if isinstance(usage, dict) and not missing:
        for name, key in USAGE.items():
            value = usage.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield key, float(value) if name == "costTotal" else value


def _status(event: Event, unit: Unit | None) -> int:
    if unit is not None and unit.outcome in {"ok", "error"}:
        return OK if unit.outcome == "ok" else ERROR
    if event.success is False and event.level in FAILING_LEVELS and event.action not in NO_FAILURE:
        return ERROR
    # A fallback may be a success with an error beside it: it says neither.
    return OK if event.success and event.error is None else UNSET


def _error_type(event: Event) -> str | None:
    if event.action == "inference.circuit.skipped_call":
        return "circuit_open"
    code = event.text("errorCode", "errorName")
    if code is not None or event.error is None:
        return code
    if "timed out" in event.error or event.error == "timeout":
        return "timeout"
    exited = EXITED.search(event.error)
    if exited is not None:
        return exited[1]
    return event.error if CODE.fullmatch(event.error) else None


def _evaluations(event: Event, unit: Unit) -> Iterator[dict[str, object]]:
    """What checks and judges said of the unit, as evaluation events."""
    if event.metadata.get("jsonRequested") is True and isinstance(parsed := event.metadata.get("jsonParsed"), bool):
        yield _evaluation(unit, "json_parsed", "heuristic", "model_router.json", float(parsed))
    tests = event.metadata.get("testResults")
    if isinstance(tests, dict):
        failed, types, lint = tests.get("testsFailed"), tests.get("typecheckOk"), tests.get("lintOk")
        if isinstance(failed, int) and not isinstance(failed, bool):
            good = failed == 0 and types is not False and lint is not False
            yield _evaluation(unit, "checks", "check", "agent-loop.checks", float(good))
    verdict, reason = event.text("verdict"), event.text("reasoning", "reason")
    if verdict is not None:
        said = _evaluation(unit, "verdict", "judge", f"{event.component}.judge", None)
        said |= {"gen_ai.evaluation.score.label": verdict} | (
            {"gen_ai.evaluation.explanation": reason} if reason else {}
        )
        if event.metadata.get("fallback") is True or (reason and UNAVAILABLE.search(reason)):
            said["error.type"] = "judge_unavailable"
        yield said


def _evaluation(unit: Unit, name: str, tier: str, author: str, score: float | None) -> dict[str, object]:
    return {
        "gen_ai.evaluation.name": name,
        "flywheel.label.source_tier": tier,
        "flywheel.evaluator.id": author,
        "flywheel.target.kind": "run",
        "flywheel.target.id": unit.id,
        **({} if score is None else {"gen_ai.evaluation.score.value": score}),
    }
