"""pi sessions: a header line, then messages with `id` and `parentId`; branches are read in the file's order."""

from collections.abc import Iterable, Iterator, Sequence

from flywheel_assets.sources.foreign import Foreign, Piece, Record, Refused
from flywheel_assets.sources.plain_spans import Plain, mapping, nanoseconds
from flywheel_assets.sources.session import ModelCall, Session, ToolCall

USAGE = {
    "input": "gen_ai.usage.input_tokens",
    "output": "gen_ai.usage.output_tokens",
    "cacheRead": "gen_ai.usage.cache_read.input_tokens",
    "cacheWrite": "gen_ai.usage.cache_creation.input_tokens",
    "totalTokens": "gen_ai.usage.total_tokens",
}


def _recognises(values: Sequence[object]) -> bool:
    return any(one.get("type") == "session" and "id" in one and "cwd" in one for one in map(mapping, values))


def _read(records: Iterable[Record], keep_content: bool) -> Iterator[Piece]:
    session: Session | None = None
    for record in records:
        if record.fault is not None:
            yield Refused(record.where, record.fault)
            continue
        entry = mapping(record.value)
        if entry.get("type") == "session" and entry.get("id"):
            session = session or Session("pi", str(entry["id"]), keep_content=keep_content)
        elif entry.get("type") == "message":
            message = mapping(entry.get("message"))
            at = nanoseconds(entry.get("timestamp")) or nanoseconds(message.get("timestamp"))
            if session is None or not at:
                yield Refused(record.where, "a message without a session before it, or without a time")
            else:
                _message(session, str(entry.get("id") or record.where), message, at)
    if session is not None:
        yield from session.pieces()


def _message(session: Session, key: str, message: Plain, at: int) -> None:
    role = message.get("role")
    if role == "user":
        session.turn(key, at, _text(message))
    elif role == "assistant":
        _answer(session, key, message, at)
    elif role == "toolResult":
        error = "tool_error" if message.get("isError") is True else None
        session.result(str(message.get("toolCallId")), at, _text(message), error)


def _answer(session: Session, key: str, message: Plain, at: int) -> None:
    usage, stop = mapping(message.get("usage")), str(message.get("stopReason") or "")
    cost = mapping(usage.get("cost")).get("total")
    stated: dict[str, object] = {
        "gen_ai.provider.name": message.get("provider"),
        "gen_ai.request.model": message.get("model"),
        "gen_ai.response.finish_reasons": [stop] if stop else None,
        "gen_ai.usage.cost": float(cost) if isinstance(cost, int | float) else None,
        **{name: usage[given] for given, name in USAGE.items() if isinstance(usage.get(given), int)},
    }
    failed = "model_error" if stop == "error" else None
    session.model(ModelCall(key, session.now or at, at, stated, failed, _text(message)))
    content = message.get("content")
    for block in map(mapping, content if isinstance(content, list) else []):
        if block.get("type") == "toolCall":
            session.tool(ToolCall(str(block.get("id")), str(block.get("name")), at), block.get("arguments"))
    if stop == "aborted":
        session.interrupt(at)


def _text(message: Plain) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(
            str(mapping(block).get("text") or "") for block in content if mapping(block).get("type") == "text"
        )
    return str(content or "")


FORM = Foreign("pi", _recognises, _read)
