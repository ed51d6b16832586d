"""The readable text in captured content."""

import json

import pytest

from flywheel_assets.runs.content import LONGEST, answered, asked

GENAI = [
    {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
    {"role": "user", "parts": [{"type": "text", "content": "first"}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "look", "arguments": {}}]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "found"}]},
    {"role": "user", "parts": [{"type": "text", "content": "second"}, {"type": "text", "content": "line"}]},
]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("plain words", "plain words"),
        ("", ""),
        (json.dumps(GENAI), "second\nline"),
        (json.dumps([{"role": "user", "content": "hello"}]), "hello"),
        (
            json.dumps({"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "?"}]}),
            "hello",
        ),
        (json.dumps({"messages": [[{"type": "human", "content": "from a graph"}]]}), "from a graph"),
        (json.dumps([{"message.role": "user", "message.content": "flattened"}]), "flattened"),
        (json.dumps({"question": "who?", "k": 3}), "who?"),
        (json.dumps({"numbers": [1, 2]}), json.dumps({"numbers": [1, 2]})),
        (json.dumps("quoted"), "quoted"),
        ("[not json", "[not json"),
        ("x" * 30_000, "x" * LONGEST),
    ],
)
def test_what_was_asked_is_the_last_user_message(raw, expected):
    assert asked(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            json.dumps(
                [{"role": "assistant", "parts": [{"type": "text", "content": "done"}], "finish_reason": "stop"}]
            ),
            "done",
        ),
        (json.dumps({"choices": [{"message": {"role": "assistant", "content": "done"}}]}), "done"),
        (
            json.dumps(
                [
                    {
                        "role": "assistant",
                        "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "ok"}],
                    },
                ]
            ),
            "ok",
        ),
        (json.dumps({"role": "model", "parts": [{"text": "gemini says"}]}), "gemini says"),
        (json.dumps({"answer": 42, "output": "forty-two"}), "forty-two"),
    ],
)
def test_what_was_answered_is_the_last_assistant_message(raw, expected):
    assert answered(raw) == expected
