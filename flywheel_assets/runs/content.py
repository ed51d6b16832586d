"""What a run was asked and what it answered, as text, out of whatever messages were captured."""

from collections.abc import Iterator
from typing import cast

import orjson

# Content that gates and prompts read; longer answers are cut, not refused.
LONGEST = 20_000
TEXT_KEYS = ("content", "text", "parts", "value", "output", "result", "response")
INPUT_KEYS = ("input", "question", "query", "prompt", "task", "text", "content")
OUTPUT_KEYS = ("output", "answer", "response", "result", "text", "content")


def asked(raw: str) -> str:
    """The last user message of captured input; the input itself where it holds no messages."""
    return _message(raw, ("user", "human"), INPUT_KEYS)


def answered(raw: str) -> str:
    """The last assistant message of captured output; the output itself where it holds no messages."""
    return _message(raw, ("assistant", "ai", "model"), OUTPUT_KEYS)


def _message(raw: str, roles: tuple[str, ...], fields: tuple[str, ...]) -> str:
    if raw[:1] not in '[{"' or not raw:
        return raw[:LONGEST]
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw[:LONGEST]
    text = None
    for role, said in _messages(content):
        if role in roles and said:
            text = said
    return (text or _field(content, fields) or raw)[:LONGEST]


def _messages(content: object) -> Iterator[tuple[str, str]]:
    """(role, text) of every message, in order, whichever convention nests it how."""
    if isinstance(content, list):
        for item in cast("list[object]", content):
            yield from _messages(item)
    elif isinstance(content, dict):
        item = cast("dict[str, object]", content)
        role = item.get("role") or item.get("message.role") or item.get("type")
        if isinstance(role, str) and not isinstance(item.get("messages"), list):
            yield role.lower(), _text(item.get("message.content", item))
        for key in ("messages", "message", "choices"):
            yield from _messages(item.get(key))


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(part for part in map(_text, cast("list[object]", content)) if part)
    if isinstance(content, dict):
        item = cast("dict[str, object]", content)
        if item.get("type") in ("tool_call", "tool_call_response", "reasoning", "thinking", "tool_use"):
            return ""
        return next((text for key in TEXT_KEYS if (text := _text(item.get(key)))), "")
    return ""


def _field(content: object, fields: tuple[str, ...]) -> str | None:
    """The one text a plain JSON object is about: {"question": "…"}."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        item = cast("dict[str, object]", content)
        return next((value for key in fields if isinstance(value := item.get(key), str)), None)
    return None
