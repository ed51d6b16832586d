"""Which events of a system bus speak of one unit of work, and what each says of how it ended: as data.

A bus has no trace, span or parent ids; what belongs together is told by ids in the metadata, which differ
by family of actions. An event that no rule claims belongs to no unit: it is never a run by itself.
"""

import re
from dataclasses import dataclass
from typing import Literal

from flywheel_assets.sources.bus_event import Event

Outcome = Literal["ok", "error", "cancelled"]
Operation = Literal["invocation", "llm", "agent", "step", "other"]


@dataclass(frozen=True, slots=True)
class Family:
    """Actions that match `actions` belong to the unit named by `keys`: one of the spellings of each.

    Keys before `trace_depth` name the trace. `operations` and `outcomes` are by the action's last word
    after the family's name; what is not listed is 'other' and says nothing.
    """

    kind: str
    actions: re.Pattern[str]
    keys: tuple[tuple[str, ...], ...]
    opener: str
    operations: dict[str, Operation]
    outcomes: dict[str, Outcome]
    trace_depth: int = 1


@dataclass(frozen=True, slots=True)
class Unit:
    """What an event belongs to. `opens`: it is the unit's first event, and the others hang below it."""

    id: str
    kind: str
    trace: str
    opens: bool
    operation: Operation
    outcome: Outcome | None


FAMILIES = (
    Family(
        "request",
        # Skipped by an open circuit: asked for, and no model ran.
        re.compile(r"model_router\.(\w+)|inference\.circuit\.(skipped_call)"),
        (("requestId",),),
        opener="request",
        operations={"request": "invocation", "result": "llm", "fallback": "llm", "fail": "llm"},
        outcomes={"result": "ok", "fail": "error", "skipped_call": "cancelled"},
    ),
    Family(
        "node",
        re.compile(r"dag\.node\.(\w+)"),
        (("workflowId",), ("nodeId",)),
        opener="started",
        operations={"started": "invocation", "completed": "step", "failed": "step"},
        outcomes={"completed": "ok", "failed": "error"},
    ),
    Family(
        "task",
        re.compile(r"agent\.task\.(\w+)"),
        (("taskId",),),
        opener="started",
        operations={"started": "invocation", "completed": "agent", "failed": "agent"},
        outcomes={"completed": "ok", "failed": "error", "cancelled": "cancelled"},
    ),
    Family(
        "story",
        re.compile(r"agent[./]loop\.story\.(\w+)|agent[./]loop\.(\w+)(?:\.\w+)?|knowledge\.turn_write\.(\w+)"),
        (("loopId", "loop_id"), ("storyId", "story_id"), ("attempt", "attempts")),
        opener="dispatched",
        operations={"dispatched": "invocation", "passed": "step", "failed": "step"},
        outcomes={"passed": "ok", "failed": "error"},
    ),
)
# A durable run that the bus only mentions: the id is the runtime's own, so both meet in one run. Other
# systems call their rows run_id too, so nothing else than a ULID is taken for one.
RUN_KEYS = ("run_id", "runId")
ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
PROBE = re.compile(r"(^|[._:-])(probe|canary)([._:-]|$)")


def unit_of(event: Event) -> Unit | None:
    """The unit that the event speaks of; None for one that speaks of none, and for probes."""
    if is_probe(event):
        return None
    for family in FAMILIES:
        found = family.actions.fullmatch(event.action)
        keys = [event.text(*spellings) for spellings in family.keys]
        if found is None or None in keys:
            continue
        parts = [key for key in keys if key is not None]
        word = next(group for group in found.groups() if group)
        outcome = family.outcomes.get(word)
        if family.kind == "task" and outcome == "error" and event.level == "warn":
            # Refused for its input: neither right nor wrong of whoever would have done it.
            outcome = "cancelled"
        return Unit(
            id="/".join((family.kind, *parts)),
            kind=family.kind,
            trace="/".join((family.kind, *parts[: family.trace_depth])),
            opens=word == family.opener,
            operation=family.operations.get(word, "other"),
            outcome=outcome,
        )
    run = event.text(*RUN_KEYS)
    if run is None or not ULID.fullmatch(run):
        return None
    return Unit(run, "run", f"run/{run}", opens=False, operation="other", outcome=None)


def is_probe(event: Event) -> bool:
    """Whether it was made to see if the bus works: no work, so no run."""
    marked = any(event.metadata.get(name) is True for name in ("probe", "canary"))
    return marked or PROBE.search(event.action) is not None or PROBE.search(event.text("taskId") or "") is not None
