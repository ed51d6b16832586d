"""`Sign`: a named, versioned rule that names spans of failed runs, and the kind of error each shows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flywheel_assets.examples.failed import Failed
from flywheel_assets.examples.work import Flags, Index

# The leaves of TRAIL's taxonomy, and what it calls "Language-only Hallucinations" by the name that its data give it.
KINDS = (
    "Authentication Errors",
    "Context Handling Failures",
    "Environment Setup Errors",
    "Formatting Errors",
    "Goal Deviation",
    "Incorrect Memory Usage",
    "Incorrect Problem Identification",
    "Instruction Non-compliance",
    "Language-only",
    "Poor Information Retrieval",
    "Rate Limiting",
    "Resource Abuse",
    "Resource Exhaustion",
    "Resource Not Found",
    "Service Errors",
    "Task Orchestration",
    "Timeout Issues",
    "Tool Definition Issues",
    "Tool Output Misinterpretation",
    "Tool Selection Errors",
    "Tool-related",
)


# A span by its place, the kind of error (one of `KINDS`) that it shows, and what was seen.
Shown = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Tried:
    """What signs look at, of the day's failed runs.

    By span: its `error_type` and `tool_name`; whether its run was `offered` tools to work with, and used none
    (`unused`), but for those that only hand in an answer; from when on, in ns, one had `worked` there. `kind`: by
    place what an error's message tells. `handing_in`: by run the model call that handed its answer in. `seen`: by
    name of what a sign looks at, and by place, what is there.
    """

    spans: Failed
    error_type: Sequence[str | None]
    tool_name: Sequence[str | None]
    offered: Flags
    unused: Flags
    worked: Index
    handing_in: Index
    kind: Mapping[int, str]
    seen: Mapping[str, Mapping[int, Any]]

    def failed(self, what: str, place: int) -> str:
        """That `what` failed, and by which error."""
        error = self.error_type[place]
        return f"{what} failed" if error is None else f"{what} failed: {error}"


@dataclass(frozen=True, slots=True)
class Sign:
    """`find` tells which spans show an error, in order.

    `looks`: what it looks at in a span's content, as SQL over what `found.sql` lays out; NULL: nothing there.
    """

    name: str
    version: str
    find: Callable[[Tried], Iterator[Shown]]
    looks: Mapping[str, str] = field(default_factory=dict[str, str])
