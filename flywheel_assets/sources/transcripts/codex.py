"""Codex sessions: `{"timestamp", "type", "payload"}` a line; what a model call used follows it as an event."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flywheel_assets.sources.foreign import Foreign, Piece, Record, Refused
from flywheel_assets.sources.plain_spans import Plain, json_text, mapping, nanoseconds
from flywheel_assets.sources.session import ModelCall, Session, ToolCall

KINDS = frozenset({"session_meta", "turn_context", "response_item", "event_msg", "compacted"})
CALLS = frozenset({"function_call", "custom_tool_call", "local_shell_call", "web_search_call"})
RESULTS = frozenset({"function_call_output", "custom_tool_call_output"})
ANSWERS = frozenset({"message", "reasoning"})
EXIT = re.compile(r'"exit_code":\s*(-?\d+)|^Exit code: (-?\d+)|exited with code (-?\d+)', re.MULTILINE)
USAGE = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cached_input_tokens": "gen_ai.usage.cache_read.input_tokens",
    "reasoning_output_tokens": "gen_ai.usage.reasoning.output_tokens",
    "total_tokens": "gen_ai.usage.total_tokens",
}


def _recognises(values: Sequence[object]) -> bool:
    return any(one.get("type") in KINDS and isinstance(one.get("payload"), dict) for one in map(mapping, values))


@dataclass(slots=True)
class _Reading:
    session: Session
    model: str | None = None
    provider: str = "openai"
    # An answer of which no usage was told yet: where it was, when it began, and what it said.
    pending: str | None = None
    began: int = 0
    text: str = ""
    used: object = None

    def answered(self, where: str, text: str) -> None:
        """A part of an answer came."""
        if self.pending is None:
            self.pending, self.began = where, self.session.now
        self.text = "\n".join(part for part in (self.text, text) if part)

    def close(self, at: int, usage: Plain, error: str | None = None) -> None:
        """The answer is complete."""
        if self.pending is not None or error is not None:
            stated: dict[str, object] = {
                "gen_ai.provider.name": self.provider,
                "gen_ai.request.model": self.model,
                **{key: usage[name] for name, key in USAGE.items() if isinstance(usage.get(name), int)},
            }
            key = self.pending or f"error at {at}"
            self.session.model(ModelCall(key, self.began or at, at, stated, error, self.text))
        self.pending, self.text = None, ""


def _read(records: Iterable[Record], keep_content: bool) -> Iterator[Piece]:
    lines: list[tuple[str, Plain]] = []
    for record in records:
        if record.fault is not None:
            yield Refused(record.where, record.fault)
        else:
            lines.append((record.where, mapping(record.value)))
    meta = next((mapping(line.get("payload")) for _, line in lines if line.get("type") == "session_meta"), {})
    if not meta.get("id"):
        yield Refused("the file", "a session without session_meta: nothing says which session it is")
        return
    version = str(meta.get("cli_version") or "")
    reading = _Reading(Session("codex", str(meta["id"]), keep_content=keep_content, version=version))
    reading.provider = str(meta.get("model_provider") or "openai")
    events = any(_is(line, "event_msg", "user_message") for _, line in lines)
    for where, line in lines:
        at = nanoseconds(line.get("timestamp"))
        payload = mapping(line.get("payload"))
        if not at:
            yield Refused(where, "a line without a time")
        elif line.get("type") == "turn_context":
            reading.model = str(payload["model"]) if payload.get("model") else reading.model
        elif line.get("type") == "event_msg":
            _event(reading, where, payload, at)
        elif line.get("type") == "response_item":
            _item(reading, where, payload, at, events=events)
    # What is still to be counted may go on: it has no end yet.
    reading.close(0, {})
    yield from reading.session.pieces()


def _is(line: Plain, kind: str, inner: str) -> bool:
    return line.get("type") == kind and mapping(line.get("payload")).get("type") == inner


def _event(reading: _Reading, where: str, payload: Plain, at: int) -> None:
    kind = payload.get("type")
    if kind == "user_message":
        reading.close(reading.session.now, {})
        reading.session.turn(where, at, str(payload.get("message") or ""))
    elif kind == "token_count":
        info = mapping(payload.get("info"))
        # The same count comes again with news of limits.
        if info and info.get("total_token_usage") != reading.used:
            reading.used = info.get("total_token_usage")
            reading.close(at, mapping(info.get("last_token_usage")))
    elif kind == "turn_aborted":
        reading.close(at, {})
        reading.session.interrupt(at)
    elif kind in ("error", "stream_error"):
        reading.close(at, {}, error=str(kind))


def _item(reading: _Reading, where: str, payload: Plain, at: int, *, events: bool) -> None:
    kind, session = payload.get("type"), reading.session
    if kind == "message" and payload.get("role") == "user":
        text = _text(payload)
        if not events and not text.lstrip().startswith("<"):
            reading.close(session.now, {})
            session.turn(where, at, text)
    elif kind in ANSWERS and payload.get("role", "assistant") == "assistant":
        reading.answered(where, _text(payload) if kind == "message" else "")
    elif kind in CALLS:
        reading.answered(where, "")
        name = str(payload.get("name") or str(kind).removesuffix("_call"))
        key = str(payload.get("call_id") or payload.get("id") or where)
        given = payload.get("arguments", payload.get("input", payload.get("action")))
        session.tool(ToolCall(key, name, at, end=at if kind == "web_search_call" else 0), given)
    elif kind in RESULTS:
        reading.close(at, {})
        output = payload.get("output")
        text = json_text(output) or ""
        failed = EXIT.search(text)
        broken = mapping(output).get("success") is False or (
            failed is not None and int(failed[failed.lastindex or 1]) != 0
        )
        session.result(str(payload.get("call_id")), at, text, "tool_error" if broken else None)


def _text(payload: Plain) -> str:
    content = payload.get("content")
    return "\n".join(str(mapping(block).get("text") or "") for block in content) if isinstance(content, list) else ""


FORM = Foreign("codex", _recognises, _read)
