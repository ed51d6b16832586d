"""What Inngest answers about a run → spans: the run's status, its steps' attempts, invoked runs, model calls.

Span ids are made from the run's and step's: the ids that the server answers with are virtual, differ between
its two addresses, and never are those of the app's own spans. Attempts that are only queued never ran.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from flywheel_assets.sources.inngest_metadata import calls_of, experiments_of
from flywheel_assets.sources.plain_spans import PlainSpan, hex_id, json_text, mapping, nanoseconds

Plain = Mapping[str, object]
STATUS, ATTEMPT = "flywheel.inngest.status", "flywheel.inngest.attempt"
STEP, INVOKED = "flywheel.inngest.step", "flywheel.inngest.invoked"
WAITING = ("SLEEP", "WAIT_FOR_EVENT", "INVOKE")
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "SKIPPED", "TIMED_OUT")
FAILED = ("FAILED", "ERRORED", "TIMED_OUT")
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Span:
    """One span of the run's trace, with the step it belongs to."""

    row: Plain
    step: str
    depth: int


def queued_at(run: Plain) -> datetime:
    """When the run was accepted: its start, however long it then waited."""
    return datetime.fromtimestamp(nanoseconds(run.get("queuedAt")) / 1e9, UTC)


def ended_at(run: Plain) -> datetime | None:
    """When it ended; None for one that goes on."""
    end = _end(run)
    return datetime.fromtimestamp(end / 1e9, UTC) if end else None


def spans_of(run: Plain, tree: Plain, hour: datetime) -> list[PlainSpan]:
    """The run, as it is at `hour` where it has not ended; nothing where it was never queued.

    `run` is GraphQL's run with its trace, `tree` REST's root span with outputs and metadata.
    """
    run_id, start = str(run.get("id") or ""), nanoseconds(run.get("queuedAt"))
    if not (run_id and start):
        return []
    trace = mapping(run.get("trace"))
    trace_id = hex_id(trace.get("traceID") or f"inngest {run_id}", 32)
    who = _identity(run, run_id)
    spans = list(_walk(trace))
    spent = [nanoseconds(span.row.get(name)) for span in spans for name in ("queuedAt", "startedAt", "endedAt")]
    end = _end(run)
    last = end + 1 if end else max([start, *spent, nanoseconds(hour)])
    failed = _failure(run, tree)
    status = PlainSpan(
        trace_id=trace_id,
        span_id=hex_id(f"{STATUS} {run_id}", 16),
        name=STATUS,
        start=start,
        end=max(start, last),
        status=2 if str(run.get("status")) in FAILED else 0,
        message=str(failed.get("message") or "")[:1000],
        attributes={
            **who,
            "flywheel.inngest.status": str(run.get("status")),
            "_inngest.event.trigger.name": run.get("eventName"),
            "_inngest.cron.schedule": run.get("cronSchedule"),
            "_inngest.event.ids": run.get("triggerIDs"),
            "_inngest.events.input": json_text(mapping(tree.get("input")).get("data")),
            "_inngest.step.output": json_text(tree.get("output") or run.get("output")),
            "error.type": failed.get("name"),
        },
    )
    made = [
        _attempt(span, run_id, trace_id, who)
        for span in spans
        if span.depth and span.row.get("startedAt") and not span.row.get("isUserland") and not _retried(span.row)
    ]
    invoked = [one for span in spans if (one := _invoked(span, trace_id, who))]
    calls = calls_of(run_id, trace_id, who, tree, start)
    return [status, *made, *invoked, *calls, *experiments_of(run_id, trace_id, who, tree, max(start, last))]


def _end(run: Plain) -> int:
    """The end of a run that has one; lists may lack the time of runs that ended."""
    if str(run.get("status")) not in ENDED:
        return 0
    trace = mapping(run.get("trace"))
    return (
        nanoseconds(run.get("endedAt"))
        or nanoseconds(trace.get("endedAt"))
        or max([nanoseconds(span.row.get("endedAt")) for span in _walk(trace)], default=0)
        or nanoseconds(run.get("queuedAt"))
    )


def _identity(run: Plain, run_id: str) -> Plain:
    function = mapping(run.get("function"))
    return {
        "_inngest.run.id": run_id,
        "_inngest.function.slug": function.get("slug"),
        "_inngest.function.name": function.get("name"),
        "_inngest.app.name": mapping(run.get("app")).get("externalID"),
    }


def _walk(row: Plain, step: str = "", depth: int = 0) -> Iterator[Span]:
    step = str(row.get("stepID") or step)
    yield Span(row, step, depth)
    children = row.get("childrenSpans")
    if isinstance(children, list) and depth < _DEEPEST:
        for child in children:
            yield from _walk(mapping(child), step, depth + 1)


def _retried(row: Plain) -> bool:
    """Whether its attempts are told one by one below it."""
    return bool(row.get("childrenSpans"))


def _attempt(span: Span, run_id: str, trace_id: str, who: Plain) -> PlainSpan:
    row, number = span.row, span.row.get("attempts") or 0
    start = nanoseconds(row.get("startedAt"))
    failed = str(row.get("status")) in FAILED
    return PlainSpan(
        trace_id=trace_id,
        span_id=hex_id(f"{ATTEMPT} {run_id} {span.step} {row.get('name')} {number} {row.get('queuedAt')}", 16),
        parent_id=hex_id(f"{STATUS} {run_id}", 16),
        name=STEP if row.get("stepOp") in WAITING else ATTEMPT,
        start=start,
        end=max(start, nanoseconds(row.get("endedAt")) or start),
        status=2 if failed else 0,
        attributes={
            **who,
            "_inngest.step.id": span.step or None,
            "_inngest.step.name": row.get("name"),
            "_inngest.step.op": row.get("stepOp"),
            "_inngest.step.attempt": number,
        },
    )


def _invoked(span: Span, trace_id: str, who: Plain) -> PlainSpan | None:
    """That a step started another run and waited for it: the other is part of this one."""
    other = mapping(span.row.get("stepInfo")).get("runID")
    start = nanoseconds(span.row.get("startedAt"))
    if not (other and start):
        return None
    return PlainSpan(
        trace_id=trace_id,
        span_id=hex_id(f"{INVOKED} {other}", 16),
        name=INVOKED,
        start=start,
        end=start,
        attributes={**who, "_inngest.step.invoke.run.id": other},
    )


def _failure(run: Plain, tree: Plain) -> Plain:
    """What a failed run answered: its error's name and message."""
    return mapping(tree.get("output") or run.get("output")) if str(run.get("status")) in FAILED else {}
