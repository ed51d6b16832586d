"""tau-bench runs written as OTLP/JSON requests: agent, model and tool spans, the reward as an event.

Runs whose messages are in the data set keep them; the others get as many spans as the set counts.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

START = 1_750_000_000 * 10**9
HOUR = 3600 * 10**9
SECOND = 10**9
EXPORTED_AT_ONCE = 16


def requests(folder: Path) -> Iterator[str]:
    """One OTLP/JSON export request per line, each with the spans of a few runs."""
    messages = _messages(folder / "trajectories.jsonl.gz")
    runs = pd.read_csv(folder / "runs.csv").to_dict("records")
    for first in range(0, len(runs), EXPORTED_AT_ONCE):
        spans = [
            span
            for number, run in enumerate(runs[first : first + EXPORTED_AT_ONCE], first)
            for span in _run(run, number, messages.get((run["domain"], run["task_id"], run["trial"])))
        ]
        yield json.dumps(
            {
                "resourceSpans": [
                    {
                        "resource": {"attributes": [_attribute("service.name", "tau-bench")]},
                        "scopeSpans": [{"scope": {"name": "replayed"}, "spans": spans}],
                    }
                ]
            }
        )


def _messages(file: Path) -> dict[tuple[str, int, int], list[dict[str, object]]]:
    with gzip.open(file, "rt") as lines:
        found = [json.loads(line) for line in lines]
    return {(run["domain"], int(run["task_id"]), int(run["trial"])): run["traj"] for run in found}


def _run(run: dict[str, object], number: int, messages: list[dict[str, object]] | None) -> Iterator[dict[str, object]]:
    key = f"{run['domain']}/{run['task_id']}/{run['trial']}"
    trace, started = hashlib.sha256(key.encode()).hexdigest()[:32], START + number * HOUR
    children = list(_calls(run, messages))
    ended = started + (len(children) + 1) * SECOND
    root = _span(trace, key, None, (started, ended), f"invoke_agent {run['domain']}")
    root["attributes"] = [
        _attribute("gen_ai.operation.name", "invoke_agent"),
        _attribute("gen_ai.agent.name", run["domain"]),
        _attribute("gen_ai.conversation.id", key),
        _attribute("gen_ai.input.messages", json.dumps([{"role": "user", "content": run["user_instruction"]}])),
    ]
    root["events"] = [
        {
            "name": "gen_ai.evaluation.result",
            "timeUnixNano": str(ended),
            "attributes": [
                _attribute("gen_ai.evaluation.name", "reward"),
                _attribute("gen_ai.evaluation.score.value", float(run["reward"])),
                _attribute("flywheel.label.source_tier", "check"),
                _attribute("flywheel.evaluator.id", "database-state"),
            ],
        }
    ]
    yield root
    for position, (name, attributes, failed) in enumerate(children):
        at = started + position * SECOND
        child = _span(trace, f"{key}#{position}", root["spanId"], (at, at + SECOND), name)
        child["attributes"] = [_attribute(*pair) for pair in attributes.items()]
        child["status"] = {"code": 2, "message": "tool error"} if failed else {}
        yield child


def _calls(
    run: dict[str, object], messages: list[dict[str, object]] | None
) -> Iterator[tuple[str, dict[str, object], bool]]:
    if messages is None:
        for _ in range(int(run["n_messages"]) - int(run["n_tool_calls"])):
            yield "chat", _chat(run["model"]), False
        for call in range(int(run["n_tool_calls"])):
            yield "execute_tool", {"gen_ai.operation.name": "execute_tool"}, call < int(run["n_tool_errors"])
        return
    for message in messages:
        content = str(message.get("content") or "")
        if message["role"] == "assistant":
            output = json.dumps([{"role": "assistant", "content": content}])
            yield "chat", _chat(run["model"]) | {"gen_ai.output.messages": output}, False
        elif message["role"] == "tool":
            tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": message["name"]}
            yield f"execute_tool {message['name']}", tool, content.startswith("Error")


def _chat(model: object) -> dict[str, object]:
    return {"gen_ai.operation.name": "chat", "gen_ai.request.model": model, "gen_ai.usage.input_tokens": 100}


def _span(trace: str, key: str, parent: object, time: tuple[int, int], name: str) -> dict[str, object]:
    return {
        "traceId": trace,
        "spanId": hashlib.sha256(f"span {key}".encode()).hexdigest()[:16],
        "parentSpanId": parent or "",
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(time[0]),
        "endTimeUnixNano": str(time[1]),
        "status": {},
    }


def _attribute(key: str, value: object) -> dict[str, object]:
    kinds = {str: "stringValue", float: "doubleValue", int: "intValue"}
    typed = str(value) if isinstance(value, int) else value
    return {"key": key, "value": {kinds[type(value)]: typed}}
