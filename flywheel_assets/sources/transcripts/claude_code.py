"""Claude Code sessions: a line for each message; an answer comes as several lines with one message id."""

from collections.abc import Iterable, Iterator, Sequence

from flywheel_assets.sources.foreign import Foreign, Piece, Record, Refused
from flywheel_assets.sources.plain_spans import Plain, mapping, nanoseconds
from flywheel_assets.sources.session import REJECTED, ModelCall, Session, ToolCall

STOPPED = "[Request interrupted by user"
REFUSED = ("The user doesn't want to", "User rejected")
# What the agent itself writes in the user's name.
NOT_SAID = ("<local-command", "<command-name>", "<system-reminder>", "<bash-", "Caveat:")
USAGE = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_input_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_creation_input_tokens": "gen_ai.usage.cache_creation.input_tokens",
}


def _recognises(values: Sequence[object]) -> bool:
    return any(
        one.get("type") in ("user", "assistant") and "sessionId" in one and "uuid" in one
        for one in map(mapping, values)
    )


def _read(records: Iterable[Record], keep_content: bool) -> Iterator[Piece]:
    sessions: dict[str, Session] = {}
    for record in records:
        if record.fault is not None:
            yield Refused(record.where, record.fault)
            continue
        line = mapping(record.value)
        if line.get("type") not in ("user", "assistant"):
            continue
        at = nanoseconds(line.get("timestamp"))
        if not at or "sessionId" not in line:
            yield Refused(record.where, "a message without a session or a time")
            continue
        key = str(line["sessionId"])
        version = str(line.get("version") or "")
        session = sessions.setdefault(key, Session("claude-code", key, keep_content=keep_content, version=version))
        if line["type"] == "assistant":
            _answer(session, line, at)
        else:
            _question(session, line, at)
    for session in sessions.values():
        yield from session.pieces()


def _question(session: Session, line: Plain, at: int) -> None:
    content = mapping(line.get("message")).get("content")
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
    texts: list[str] = []
    for block in map(mapping, blocks):
        if block.get("type") == "tool_result":
            text = said(block.get("content"))
            refused = text.startswith(REFUSED)
            error = REJECTED if refused else "tool_error" if block.get("is_error") is True else None
            session.result(str(block.get("tool_use_id")), at, text, error)
        elif block.get("type") == "text":
            texts.append(str(block.get("text") or ""))
    text = "\n".join(texts)
    if text.startswith(STOPPED):
        session.interrupt(at)
    # A subagent's orders come from the agent, not from the user.
    elif text.strip() and not (line.get("isMeta") or line.get("isSidechain") or text.lstrip().startswith(NOT_SAID)):
        session.turn(str(line.get("uuid")), at, text)


def _answer(session: Session, line: Plain, at: int) -> None:
    message = mapping(line.get("message"))
    usage, model = mapping(message.get("usage")), str(message.get("model") or "")
    failed = line.get("isApiErrorMessage") is True or model == "<synthetic>"
    stop = message.get("stop_reason")
    stated: dict[str, object] = {
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": None if failed else model or None,
        "gen_ai.response.model": None if failed else model or None,
        "gen_ai.response.id": message.get("id"),
        "gen_ai.response.finish_reasons": [str(stop)] if stop else None,
        **({} if failed else {key: usage[name] for name, key in USAGE.items() if isinstance(usage.get(name), int)}),
    }
    content = message.get("content")
    blocks = [mapping(block) for block in content] if isinstance(content, list) else []
    text = "\n".join(str(block.get("text") or "") for block in blocks if block.get("type") == "text")
    key = str(message.get("id") or line.get("uuid"))
    session.model(ModelCall(key, session.now or at, at, stated, "api_error" if failed else None, text))
    for block in blocks:
        if block.get("type") == "tool_use":
            session.tool(ToolCall(str(block.get("id")), str(block.get("name")), at), block.get("input"))


def said(content: object) -> str:
    """The text of a result: as it is, or out of its blocks."""
    if isinstance(content, list):
        return "\n".join(str(mapping(block).get("text") or "") for block in content)
    return str(content or "")


FORM = Foreign("claude_code", _recognises, _read)
