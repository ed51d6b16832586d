"""Coding agents' sessions: what they say of turns, models, tokens, tools, skills, errors and corrections."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flywheel_assets.sources.ingest import ingest

SECRET = "the launch is on Tuesday"
AT = "2026-10-05T09:00:{:02d}.000Z"


def claude(seconds: int, kind: str, content: object, **more) -> dict:
    message = {"role": kind, "content": content} | more.pop("message", {})
    return {
        "type": kind,
        "uuid": f"u{seconds}",
        "sessionId": "c-1",
        "timestamp": AT.format(seconds),
        "version": "2.0.1",
        "message": message,
    } | more


def answer(seconds: int, number: str, blocks: list, usage: dict, **more) -> dict:
    told = {"id": number, "model": "claude-x", "usage": usage, "stop_reason": "tool_use"}
    return claude(seconds, "assistant", blocks, message=told, **more)


USAGE = {"input_tokens": 3, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 10, "output_tokens": 7}
CLAUDE = [
    {"type": "summary", "summary": SECRET, "leafUuid": "u0"},
    claude(0, "user", SECRET),
    answer(2, "m1", [{"type": "text", "text": SECRET}], USAGE | {"output_tokens": 1}),
    answer(3, "m1", [{"type": "tool_use", "id": "t1", "name": "Skill", "input": {"skill": "deploy"}}], USAGE),
    claude(4, "user", [{"type": "tool_result", "tool_use_id": "t1", "content": SECRET, "is_error": True}]),
    answer(5, "m2", [{"type": "tool_use", "id": "t2", "name": "Bash", "input": {"command": SECRET}}], USAGE),
    claude(6, "user", [{"type": "text", "text": "[Request interrupted by user for tool use]"}]),
    claude(7, "user", "do the other thing"),
    answer(9, "m3", [{"type": "text", "text": "done"}], USAGE),
    claude(10, "user", "<command-name>/clear</command-name>"),
    claude(11, "user", "no, that is not it"),
    claude(
        12,
        "assistant",
        [{"type": "text", "text": "API Error"}],
        isApiErrorMessage=True,
        message={"model": "<synthetic>"},
    ),
]


def codex(seconds: int, kind: str, inner: str | None = None, **payload) -> dict:
    told = payload if inner is None else {"type": inner, **payload}
    return {"timestamp": AT.format(seconds), "type": kind, "payload": told}


def counted(seconds: int, total: int) -> dict:
    last = {
        "input_tokens": 50,
        "cached_input_tokens": 20,
        "output_tokens": 9,
        "reasoning_output_tokens": 4,
        "total_tokens": 59,
    }
    return codex(
        seconds, "event_msg", "token_count", info={"total_token_usage": {"n": total}, "last_token_usage": last}
    )


CODEX = [
    codex(0, "session_meta", id="x-1", cli_version="0.9", model_provider="openai"),
    codex(
        0, "response_item", "message", role="user", content=[{"type": "input_text", "text": "<environment_context>"}]
    ),
    codex(1, "turn_context", model="gpt-x"),
    codex(1, "event_msg", "user_message", message=SECRET),
    codex(2, "response_item", "reasoning", summary=[]),
    codex(
        3, "response_item", "function_call", name="shell", call_id="f1", arguments='{"cat": "skills/review/SKILL.md"}'
    ),
    counted(3, 59),
    counted(3, 59),
    codex(
        4, "response_item", "function_call_output", call_id="f1", output='{"output": "x", "metadata": {"exit_code": 2}}'
    ),
    codex(6, "response_item", "message", role="assistant", content=[{"type": "output_text", "text": SECRET}]),
    counted(6, 118),
    codex(8, "event_msg", "user_message", message="you forgot the tests"),
    codex(9, "event_msg", "error", message=SECRET),
]


def pi(seconds: int, role: str, content: object, **more) -> dict:
    message = {"role": role, "content": content} | more
    return {
        "type": "message",
        "id": f"e{seconds}",
        "parentId": None,
        "timestamp": AT.format(seconds),
        "message": message,
    }


PI_USAGE = {"input": 3, "output": 7, "cacheRead": 100, "cacheWrite": 10, "totalTokens": 120, "cost": {"total": 0.25}}
SPOKE = {"provider": "anthropic", "model": "claude-x", "usage": PI_USAGE}
PI = [
    {"type": "session", "version": 3, "id": "p-1", "timestamp": AT.format(0), "cwd": "/src"},
    pi(1, "user", [{"type": "text", "text": SECRET}]),
    pi(
        3,
        "assistant",
        [{"type": "toolCall", "id": "k1", "name": "read", "arguments": {"path": "x"}}],
        stopReason="toolUse",
        **SPOKE,
    ),
    pi(4, "toolResult", [{"type": "text", "text": SECRET}], toolCallId="k1", toolName="read", isError=False),
    {"type": "model_change", "id": "e5", "provider": "openai", "modelId": "gpt-x"},
    pi(6, "assistant", [{"type": "text", "text": "x"}], stopReason="aborted", **SPOKE),
    pi(8, "user", "and now this"),
]


@pytest.fixture
def rows(place, otlp_rows, tmp_path: Path):
    """Rows of a session that came through the front door."""

    def read(lines: list, *, keep_content: bool = False, raw: bytes = b"") -> list[dict]:
        file = tmp_path / "session.jsonl"
        file.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines) + raw)
        ingest(file, place.inbox, keep_content=keep_content)
        found = place.land()
        return otlp_rows(place, found.days)

    return read


def told(rows: list[dict]) -> list[tuple]:
    """(operation, model, tool, skill, tokens in, cached and out, error, open?) in order of time, without verdicts."""
    return [
        (
            row["operation"],
            row["request_model"],
            row["tool_name"],
            row["skill_name"],
            (row["fresh_input_tokens"], row["cache_read_tokens"], row["plain_output_tokens"]),
            row["error_type"],
            row["duration_ns"] is None,
        )
        for row in rows
        if row["operation"] != "evaluation"
    ]


NONE = (None, None, None)
EXPECTED = {
    "claude_code": (
        CLAUDE,
        "c-1",
        [
            ("agent", None, None, None, NONE, None, False),
            ("llm", "claude-x", None, None, (3, 100, 7), None, False),
            ("tool", None, "Skill", "deploy", NONE, "tool_error", False),
            ("llm", "claude-x", None, None, (3, 100, 7), None, False),
            ("tool", None, "Bash", None, NONE, None, True),
            ("agent", None, None, None, NONE, None, False),
            ("llm", "claude-x", None, None, (3, 100, 7), None, False),
            ("agent", None, None, None, NONE, "api_error", False),
            ("llm", None, None, None, NONE, "api_error", False),
        ],
        ["user_interrupt", "user_correction"],
    ),
    "codex": (
        CODEX,
        "x-1",
        [
            ("agent", None, None, None, NONE, None, False),
            ("llm", "gpt-x", None, None, (30, 20, 5), None, False),
            ("tool", None, "shell", "review", NONE, "tool_error", False),
            ("llm", "gpt-x", None, None, (30, 20, 5), None, False),
            ("agent", None, None, None, NONE, "error", False),
            ("llm", "gpt-x", None, None, NONE, "error", False),
        ],
        ["user_correction"],
    ),
    "pi": (
        PI,
        "p-1",
        [
            ("agent", None, None, None, NONE, None, False),
            ("llm", "claude-x", None, None, (3, 100, 7), None, False),
            ("tool", None, "read", None, NONE, None, False),
            ("llm", "claude-x", None, None, (3, 100, 7), None, False),
            ("agent", None, None, None, NONE, None, True),
        ],
        ["user_interrupt"],
    ),
}


@pytest.mark.parametrize("agent", EXPECTED)
def test_a_session_becomes_runs_with_calls_below_them(rows, agent: str) -> None:
    lines, session, expected, verdicts = EXPECTED[agent]
    found = rows(lines)
    assert told(found) == expected
    roots = [row for row in found if row["operation"] == "agent"]
    assert {row["session_id"] for row in roots} == {session}
    assert {row["agent_name"] for row in roots} == {agent.replace("_", "-")}
    assert len({row["trace_id"] for row in roots}) == len(roots)
    by_trace = {row["trace_id"]: row["span_id"] for row in roots}
    assert all(
        row["parent_span_id"] == by_trace[row["trace_id"]] for row in found if row["operation"] in {"llm", "tool"}
    )
    # A verdict is beside the turn that it judges, which came before.
    said = [row for row in found if row["operation"] == "evaluation"]
    assert [row["name"] for row in said] == verdicts
    assert all(row["links"][0]["span_id"] == by_trace[row["trace_id"]] for row in said)


@pytest.mark.parametrize("agent", EXPECTED)
def test_what_was_said_stays_outside_unless_it_is_asked_for(rows, place, agent: str) -> None:
    found = rows(EXPECTED[agent][0])
    assert not any(row["input_key"] or row["output_key"] for row in found)
    landed = b"".join(path.read_bytes() for path in place.landing.rglob("*.jsonl"))
    assert landed
    assert SECRET.encode() not in landed


def test_content_is_kept_where_it_is_asked_for(rows) -> None:
    found = rows(CLAUDE, keep_content=True)
    first = next(row for row in found if row["operation"] == "agent")
    assert SECRET in dict(first["attr_text"])["gen_ai.input.messages"]
    assert {row["input_key"] for row in found if row["tool_name"]} == {"gen_ai.tool.call.arguments"}


@pytest.mark.parametrize("agent", EXPECTED)
def test_a_session_that_grows_gives_the_same_spans_and_more(rows, agent: str) -> None:
    lines = EXPECTED[agent][0]
    for length in range(2, len(lines) + 1):
        found = rows(lines[:length])
    assert told(found) == EXPECTED[agent][2]


@pytest.mark.parametrize("agent", EXPECTED)
def test_lines_that_cannot_be_read_are_set_aside_and_the_rest_is_told(rows, place, agent: str) -> None:
    found = rows(EXPECTED[agent][0], raw=b'{"type": "user", "secret": "' + SECRET.encode())
    assert told(found) == EXPECTED[agent][2]
    ((status, reason, signal),) = [row for row in place.rows("status", "reason", "signal") if row[0] == "rejected"]
    assert (status, signal) == ("rejected", "traces")
    assert f"line {len(EXPECTED[agent][0]) + 1}: not JSON" in reason
    assert all(SECRET.encode() not in path.read_bytes() for path in place.landing.rglob("*.jsonl"))


def test_times_are_those_of_the_session(rows) -> None:
    found = rows(PI)
    start = datetime(2026, 10, 5, 9, 0, 1, tzinfo=UTC)
    assert found[0]["start_time"] == start
    assert [row["duration_ns"] for row in found if row["operation"] == "llm"] == [2 * 10**9, 2 * 10**9]
    assert [row["cost_usd"] for row in found if row["operation"] == "llm"] == [0.25, 0.25]
