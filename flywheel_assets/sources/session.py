"""A coding agent's session under reading → one OTLP request a turn.

What a user asks and all that follows is a turn: a run, with a trace of its own. Ids come from the
session's own, so a session that has grown since gives the same spans again, and more. A correction
is a span that points at the turn before: that turn's own span stays as it was.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from flywheel_assets.sources.plain_spans import PlainEvent, PlainSpan, request

# What people begin with when the turn before was not what they wanted. English only; elsewhere nothing is said.
CORRECTION = re.compile(
    r"^\W*(?:no[,.! ]|nope|wrong|undo|revert|roll (?:it|that) back|stop[,.! ]|try again|not what"
    r"|that(?:'s| is|s)? (?:is )?(?:not|wrong|incorrect|broken)|this is (?:wrong|not)|it(?:'s| is)? (?:still|broken)"
    r"|you (?:forgot|missed|broke|ignored|should(?:n't| not) have)|i (?:said|asked|told|meant)|don't do that)",
    re.IGNORECASE,
)
SKILL_FILE = re.compile(r"SKILL\.md", re.IGNORECASE)
# The folder before it, looked for in a few characters: arguments can be megabytes without a break.
SKILL_FOLDER = re.compile(r"([A-Za-z0-9][\w.-]*)[/\\]+$")
NAME_LENGTH = 128
REJECTED = "user_rejected"


@dataclass(slots=True)
class ModelCall:
    """One answer of the model; `end` is 0 while it goes on."""

    key: str
    start: int
    end: int
    attributes: dict[str, object] = field(default_factory=dict[str, object])
    error: str | None = None
    text: str = ""


@dataclass(slots=True)
class ToolCall:
    """One call of a tool; `end` is 0 while there is no result."""

    key: str
    name: str
    start: int
    end: int = 0
    error: str | None = None
    skill: str | None = None
    given: str | None = None
    answered: str | None = None


@dataclass(slots=True)
class _Turn:
    key: str
    start: int
    text: str
    last: int
    calls: list[ModelCall] = field(default_factory=list[ModelCall])
    tools: dict[str, ToolCall] = field(default_factory=dict[str, ToolCall])
    corrects: str | None = None


class Session:
    """Turns as they are read; `pieces` writes those that are complete enough to tell."""

    def __init__(self, agent: str, session: str, *, keep_content: bool, version: str = "") -> None:
        self.agent = agent
        self.session = session
        self.version = version
        self._keep = keep_content
        self._turns: list[_Turn] = []
        self._interrupted = False

    @property
    def now(self) -> int:
        """When the last thing happened; 0 before the first turn."""
        return self._turns[-1].last if self._turns else 0

    def turn(self, key: str, at: int, text: str) -> None:
        """The user asks."""
        fault = "user_interrupt" if self._interrupted else "user_correction" if CORRECTION.match(text) else None
        corrects = fault if self._turns and self._turns[-1].calls else None
        self._interrupted = False
        self._turns.append(_Turn(key, at, text, at, corrects=corrects))

    def model(self, call: ModelCall) -> None:
        """The model has answered. Before the first question it is nobody's turn, and is left out."""
        if self._turns:
            turn = self._turns[-1]
            if turn.calls and turn.calls[-1].key == call.key:
                # The same answer told again, a block at a time: its first start, its last word.
                call.start = turn.calls[-1].start
                call.text = "\n".join(text for text in (turn.calls[-1].text, call.text) if text)
                turn.calls.pop()
            turn.calls.append(call)
            turn.last = max(turn.last, call.end)

    def tool(self, call: ToolCall, arguments: object) -> None:
        """The model calls a tool."""
        if self._turns:
            text = arguments if isinstance(arguments, str) else orjson.dumps(arguments, default=str).decode()
            call.skill = _skill(call.name, arguments, text)
            call.given = text if self._keep else None
            self._turns[-1].tools[call.key] = call
            self._turns[-1].last = max(self._turns[-1].last, call.start)

    def result(self, key: str, at: int, text: str, error: str | None) -> None:
        """A tool has answered; the call may be of an earlier turn."""
        for turn in reversed(self._turns):
            found = turn.tools.get(key)
            if found is not None:
                found.end, found.error = at, error
                found.answered = text if self._keep else None
                turn.last = max(turn.last, at)
                return

    def interrupt(self, at: int) -> None:
        """The user stopped the turn."""
        if self._turns:
            self._interrupted = True
            self._turns[-1].last = max(self._turns[-1].last, at)

    def pieces(self) -> Iterator[bytes]:
        """One request for each turn."""
        before: PlainSpan | None = None
        for number, turn in enumerate(self._turns):
            root, below = self._spans(turn, number)
            aside = [] if before is None or turn.corrects is None else [_judging(before, turn.corrects, turn.start)]
            scope = {"name": f"flywheel.transcripts.{self.agent}"}
            yield request([root, *below, *aside], {"service.name": self.agent}, scope)
            before = root

    def _spans(self, turn: _Turn, number: int) -> tuple[PlainSpan, list[PlainSpan]]:
        trace = _digest(f"{self.agent}:{self.session}:{turn.key}", 32)
        here = f"{trace}:turn"
        stated: dict[str, object] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": self.agent,
            "gen_ai.agent.version": self.version or None,
            "gen_ai.conversation.id": self.session,
            "flywheel.turn.number": number,
        }
        if self._keep:
            stated["gen_ai.input.messages"] = _message("user", turn.text)
            stated["gen_ai.output.messages"] = _message("assistant", turn.calls[-1].text) if turn.calls else None
        else:
            stated["flywheel.content.redacted"] = True
        failed = turn.calls[-1].error if turn.calls else None
        root = PlainSpan(
            trace_id=trace,
            span_id=_digest(here, 16),
            name=f"invoke_agent {self.agent}",
            start=turn.start,
            end=turn.last if turn.calls else 0,
            status=2 if failed else 0,
            attributes={**stated, "error.type": failed},
        )
        below = [*(self._call(root, call) for call in turn.calls), *(_tool(root, one) for one in turn.tools.values())]
        return root, below

    def _call(self, root: PlainSpan, call: ModelCall) -> PlainSpan:
        text = {"gen_ai.output.messages": _message("assistant", call.text)} if self._keep and call.text else {}
        return PlainSpan(
            trace_id=root.trace_id,
            span_id=_digest(f"{root.trace_id}:model:{call.key}", 16),
            parent_id=root.span_id,
            name=f"chat {call.attributes.get('gen_ai.request.model', '')}".strip(),
            kind=3,
            start=max(call.start, root.start),
            end=max(call.end, root.start) if call.end else 0,
            status=2 if call.error else 0,
            attributes={"gen_ai.operation.name": "chat", **call.attributes, **text, "error.type": call.error},
        )


def _tool(root: PlainSpan, call: ToolCall) -> PlainSpan:
    return PlainSpan(
        trace_id=root.trace_id,
        span_id=_digest(f"{root.trace_id}:tool:{call.key}", 16),
        parent_id=root.span_id,
        name=f"execute_tool {call.name}",
        start=call.start,
        end=call.end,
        status=2 if call.error else 0,
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.name,
            "gen_ai.tool.call.id": call.key,
            "gen_ai.tool.call.arguments": call.given,
            "gen_ai.tool.call.result": call.answered,
            "gen_ai.skill.name": call.skill,
            "error.type": call.error,
        },
    )


def _judging(judged: PlainSpan, name: str, at: int) -> PlainSpan:
    """A verdict on a turn, in its trace, from what the user did next: a heuristic's, not the user's own word."""
    verdict = {
        "gen_ai.evaluation.name": name,
        "gen_ai.evaluation.score.value": 0.0,
        "flywheel.label.source_tier": "heuristic",
        "flywheel.evaluator.id": f"transcript.{name}",
    }
    return PlainSpan(
        trace_id=judged.trace_id,
        span_id=_digest(f"{judged.trace_id}:{name}", 16),
        name=name,
        start=at,
        end=at,
        attributes={"gen_ai.evaluation.name": name},
        events=[PlainEvent("gen_ai.evaluation.result", at, verdict)],
        links=[(judged.trace_id, judged.span_id)],
    )


def _skill(tool: str, arguments: object, text: str) -> str | None:
    """The skill that a call reads: named outright, or by the path of its file."""
    if tool.lower() == "skill" and isinstance(arguments, Mapping):
        named = next((arguments[key] for key in ("skill", "name", "command") if arguments.get(key)), None)
        if named is not None:
            return str(named).lstrip("/")
    file = SKILL_FILE.search(text)
    folder = SKILL_FOLDER.search(text[max(0, file.start() - NAME_LENGTH) : file.start()]) if file else None
    return folder[1] if folder else None


def _message(role: str, text: str) -> str:
    return orjson.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}]).decode()


def _digest(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
