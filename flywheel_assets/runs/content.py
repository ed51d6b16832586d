"""What a run was asked and what it answered, as text, out of whatever messages were captured."""

from typing import TypeAlias

import orjson

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"

# Content that gates and prompts read; longer answers are cut, not refused.
LONGEST = 20_000
TEXT_KEYS = ("content", "message.content", "parts", "text", "value", "output", "result", "response")
NESTS = ("messages", "choices", "message")
NO_ANSWER = ("tool_call", "tool_call_response", "tool_use", "reasoning", "thinking")
INPUT_KEYS = ("input", "question", "query", "prompt", "task", "text", "content")
OUTPUT_KEYS = ("output", "answer", "response", "result", "text", "content")


def asked(raw: str) -> str:
    """The last user message of captured input; the input itself where it holds no messages."""
    return _message(raw, ("user", "human"), INPUT_KEYS)


def answered(raw: str) -> str:
    """The last assistant message of captured output; the output itself where it holds no messages."""
    return _message(raw, ("assistant", "ai", "model"), OUTPUT_KEYS)


def _message(raw: str, roles: tuple[str, ...], fields: tuple[str, ...]) -> str:
    if raw[:1] not in ("[", "{", '"'):
        return raw[:LONGEST]
    try:
        content: Json = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw[:LONGEST]
    return (_last(content, roles) or _field(content, fields) or raw)[:LONGEST]


def _last(content: Json, roles: tuple[str, ...]) -> str:
    """The text of the last message by one of `roles`, whichever convention nests it how."""
    if isinstance(content, list):
        for item in reversed(content):
            if found := _last(item, roles):
                return found
        return ""
    if not isinstance(content, dict):
        return ""
    role = content.get("role") or content.get("message.role") or content.get("type")
    if isinstance(role, str) and role.lower() in roles:
        return _text(content)
    for key in NESTS:
        if (inner := content.get(key)) and (found := _last(inner, roles)):
            return found
    return ""


def _text(content: Json) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        if len(content) == 1:
            return _text(content[0])
        return "\n".join(part for part in map(_text, content) if part)
    if isinstance(content, dict) and content.get("type") not in NO_ANSWER:
        for key in TEXT_KEYS:
            if (inner := content.get(key)) and (text := _text(inner)):
                return text
    return ""


def _field(content: Json, fields: tuple[str, ...]) -> str | None:
    """The one text a plain JSON object is about: {"question": "…"}."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return next((value for key in fields if isinstance(value := content.get(key), str)), None)
    return None
