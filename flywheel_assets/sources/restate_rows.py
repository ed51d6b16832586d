"""Rows of Restate's `sys_invocation` and `sys_journal` → spans.

`killed` and `cancelled` both end as "[409]", as does a handler that answers so of its own: a killed
invocation wrote no output, a cancelled one was sent the cancel signal.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from flywheel_assets.sources.plain_spans import PlainSpan, hex_id, mapping, nanoseconds

Row = dict[str, object]
STATUS, CALL = "flywheel.restate.status", "flywheel.restate.call"
# Restate's times are whole milliseconds, cut off: a status comes after what it is about.
_END_OF_MS = 999_999
_FAILURE = re.compile(r"\[(\d+)\] ?(.*)", re.DOTALL)
_CANCEL_SIGNAL = {"Index": 1}


@dataclass(slots=True)
class Journal:
    """What an invocation's journal shows: whom it called and waited for, whether it answered, was cancelled."""

    calls: set[str] = field(default_factory=set[str])
    answered: bool = False
    cancelled: bool = False


def journal_of(entries: Iterable[Row]) -> dict[str, Journal]:
    """Journals by invocation; those without any entry are not known."""
    found: dict[str, Journal] = {}
    for entry in entries:
        journal = found.setdefault(str(entry["id"]), Journal())
        content = _inside(entry.get("entry_json"))
        match entry.get("entry_type"):
            case "Command: Call":
                call = mapping(mapping(content.get("Command")).get("Call"))
                journal.calls.add(str(mapping(call.get("request")).get("invocation_id")))
            case "Command: Output":
                journal.answered = True
            case "Notification: Signal":
                signal = mapping(mapping(content.get("Notification")).get("Signal"))
                journal.cancelled = journal.cancelled or signal.get("id") == _CANCEL_SIGNAL
            case _:
                pass
    return found


def spans_of(row: Row, journals: Mapping[str, Journal]) -> list[PlainSpan]:
    """The invocation's status, and that it is part of its caller's run; nothing where it was never created."""
    invocation, created = str(row["id"]), nanoseconds(row.get("created_at"))
    if not created:
        return []
    start = created + _END_OF_MS
    state = state_of(row, journals.get(invocation))
    found = _FAILURE.fullmatch(str(row.get("completion_failure") or ""))
    attributes = {
        "restate.invocation.id": invocation,
        "restate.invocation.target": row.get("target"),
        "restate.invocation.status": row.get("status"),
        "restate.invocation.result": row.get("completion_result"),
        "restate.invocation.error.code": found[1] if found and state == "failure" else None,
        "restate.deployment.id": row.get("pinned_deployment_id"),
        "flywheel.restate.state": state,
        "flywheel.restate.attempt": row.get("retry_count"),
        "flywheel.restate.last_failure": row.get("last_failure"),
        "flywheel.restate.restarted_from": row.get("restarted_from"),
    }
    status = PlainSpan(
        trace_id=_trace(row, invocation),
        span_id=hex_id(f"{STATUS} {invocation}", 16),
        name=STATUS,
        start=start,
        end=max(start, _last_seen(row)),
        status=2 if state == "failure" else 0,
        message=found[2] if found else "",
        attributes=attributes,
    )
    caller = str(row.get("invoked_by_id") or "")
    called = caller in journals and invocation in journals[caller].calls
    return [status, _call(row, caller, invocation, start)] if called else [status]


def state_of(row: Row, journal: Journal | None) -> str:
    """How it ended (success, failure, killed, cancelled), else as Restate says: running, suspended, paused, …"""
    if row.get("status") != "completed":
        return str(row.get("status"))
    if row.get("completion_result") == "success":
        return "success"
    match str(row.get("completion_failure")):
        # Without the journal (its retention may be shorter), the message has to do.
        case "[409] killed" if journal is None or not journal.answered:
            return "killed"
        case "[409] cancelled" if journal is None or journal.cancelled:
            return "cancelled"
        case _:
            return "failure"


def _call(row: Row, caller: str, invocation: str, start: int) -> PlainSpan:
    return PlainSpan(
        trace_id=_trace(row, caller),
        span_id=hex_id(f"{CALL} {invocation}", 16),
        name=CALL,
        start=start,
        end=start,
        attributes={"restate.invocation.id": caller, "flywheel.restate.called": invocation},
    )


def _last_seen(row: Row) -> int:
    """Its end; of one that has none its last sign of life, which an end in the same millisecond outdoes."""
    ended = nanoseconds(row.get("completed_at"))
    return ended + 1 if ended else max(nanoseconds(row.get("modified_at")), nanoseconds(row.get("seen_at")))


def _trace(row: Row, invocation: str) -> str:
    # Without tracing Restate gives out no trace ids.
    return hex_id(row.get("trace_id") or f"restate {invocation}", 32)


def _inside(given: object) -> Mapping[str, object]:
    try:
        return mapping(orjson.loads(given)) if isinstance(given, str) else {}
    except orjson.JSONDecodeError:
        return {}
