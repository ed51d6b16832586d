"""Realistic agent telemetry, the same for the same seed: what the benchmarks decode and turn.

Runs of four kinds (GenAI agents, OpenInference agents, Restate invocations, Inngest functions) at
about 2 KB a span. `generate.py` writes them to files.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import orjson

sys.path.insert(0, str(Path(__file__).parent))

from simulation import Run, Source, Span, Value

SPANS_PER_REQUEST = 500
FIRST_DAY = date(2026, 9, 1)
SERVICES = ("support-desk", "code-review", "Restate", "inngest-app")
TOOLS = ("search_orders", "read_file", "run_query", "send_mail", "lookup_policy")


def gen_ai_call(run: Run, parent: Span) -> None:
    """One model call in GenAI attributes; one in twenty fails first and is retried."""
    source = run.source
    provider, model = run.model.split("/")
    messages = [{"role": "user", "parts": [{"type": "text", "content": source.prose(1900)}]}]
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 1024,
        "gen_ai.conversation.id": run.session,
        "gen_ai.input.messages": orjson.dumps(messages).decode(),
        "server.address": f"api.{provider}.example",
        "server.port": 443,
    }
    if source.chance() < 0.05:
        failed = run.add(f"chat {model}", 3, 300, attributes | {"error.type": "RateLimitError"}, parent)
        run.fail(failed, "RateLimitError", "429 slow down")
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": source.prose(700)}], "finish_reason": "stop"}]
    attributes |= {
        "gen_ai.response.model": f"{model}-2026-07-01",
        "gen_ai.response.id": f"resp_{source.ids(12).hex()}",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 300 + source.below(900),
        "gen_ai.usage.output_tokens": 40 + source.below(400),
        "gen_ai.usage.cache_read.input_tokens": source.below(300),
        "gen_ai.output.messages": orjson.dumps(answer).decode(),
    }
    run.add(f"chat {model}", 3, 900, attributes, parent)


def gen_ai_tool(run: Run, parent: Span) -> None:
    """One tool call in GenAI attributes."""
    tool = TOOLS[run.source.below(len(TOOLS))]
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": f"call_{run.source.ids(9).hex()}",
        "gen_ai.tool.call.arguments": orjson.dumps({"query": run.source.prose(120)}).decode(),
        "gen_ai.tool.call.result": orjson.dumps({"rows": [run.source.prose(900)]}).decode(),
    }
    span = run.add(f"execute_tool {tool}", 1, 120, attributes, parent)
    if run.source.chance() < 0.04:
        span.attributes["error.type"] = "TimeoutError"
        run.fail(span, "TimeoutError", "tool took too long")


def gen_ai_agent(run: Run, parent: Span | None = None) -> None:
    """An agent in GenAI attributes: model calls and tool calls in turn."""
    source = run.source
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": f"{run.skill}-agent",
        "gen_ai.agent.version": "3",
        "gen_ai.conversation.id": run.session,
        "gen_ai.prompt.name": f"{run.skill}-system",
        "gen_ai.prompt.version": "v3",
        "user.id": f"user-{source.below(40_000):05d}",
        "gen_ai.input.messages": orjson.dumps([{"role": "user", "content": source.prose(500)}]).decode(),
        "gen_ai.output.messages": orjson.dumps([{"role": "assistant", "content": source.prose(900)}]).decode(),
    }
    root = run.add(f"invoke_agent {run.skill}-agent", 1, 20, attributes, parent)
    for _ in range(1 + source.below(4)):
        gen_ai_call(run, root)
        if source.chance() < 0.7:
            gen_ai_tool(run, root)
    root.end = run.clock
    if source.chance() < 0.5:
        run.decide(root)
    if source.chance() < 0.4:
        run.evaluate(root)
    if not run.good and source.chance() < 0.4:
        root.status, root.message = 2, "gave up"


def openinference_agent(run: Run) -> None:
    """An agent as OpenInference instrumentation writes it: flattened messages beside the values."""
    source = run.source
    root = run.add("Agent.run", 1, 15, {"openinference.span.kind": "AGENT", "session.id": run.session}, None)
    for turn in range(1 + source.below(4)):
        text = source.prose(600)
        attributes: dict[str, Value] = {
            "openinference.span.kind": "LLM",
            "llm.model_name": run.model.split("/")[1],
            "llm.provider": run.model.split("/")[0],
            "llm.invocation_parameters": '{"temperature": 0.2, "max_tokens": 1024}',
            "input.value": orjson.dumps({"messages": [text]}).decode(),
            "input.mime_type": "application/json",
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "You are careful.",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.content": text,
            "output.value": source.prose(500),
            "llm.output_messages.0.message.role": "assistant",
            "llm.token_count.prompt": 200 + source.below(900),
            "llm.token_count.completion": 30 + source.below(300),
            "llm.token_count.total": 700,
        }
        run.add("ChatCompletion", 1, 800, attributes, root)
        if turn % 2:
            tool = {"openinference.span.kind": "TOOL", "tool.name": TOOLS[turn], "input.value": source.prose(80)}
            run.add(TOOLS[turn], 1, 90, tool | {"output.value": source.prose(700)}, root)
    root.end = run.clock
    root.attributes |= {"input.value": source.prose(300), "output.value": source.prose(600), "agent.name": run.skill}
    root.status = 1 if run.good else 2


def restate_invocation(run: Run) -> None:
    """A Restate invocation around a GenAI agent, some with a failed first attempt."""
    target = f"{run.skill.title().replace('-', '')}/answer"
    common: dict[str, Value] = {
        "rpc.service": target.split("/", maxsplit=1)[0],
        "rpc.method": "answer",
        "restate.invocation.id": f"inv_1{run.source.ids(16).hex()}",
        "restate.invocation.target": target,
    }
    door = run.add(f"ingress {target}", 1, 1, common | {"client.socket.address": "10.1.2.3"}, None)
    begun = run.add(f"invocation-start {target}", 1, 1, dict(common), door)
    placed = common | {"rpc.system": "restate", "restate.deployment.id": "dp_17", "restate.deployment.address": "app"}
    if run.source.chance() < 0.3:
        failed = run.add(f"invocation-attempt {target}", 1, 40, dict(placed), begun)
        failed.status, failed.message = 2, "transient failure"
    attempt = run.add(f"invocation-attempt {target}", 1, 2, dict(placed), begun)
    attempt.events.append(
        (attempt.end, "restate.invocation.lifecycle.new_command", {"restate.journal.command.type": "Run"})
    )
    run.service = 0
    gen_ai_agent(run, attempt)
    run.service, attempt.end, attempt.status = 2, run.clock, 1
    result = "success" if run.good else "failure"
    run.add(f"invocation-end {target}", 1, 0.1, common | {"restate.invocation.result": result}, begun)


def inngest_run(run: Run) -> None:
    """An Inngest function: one trace per HTTP call, stamped with the run's id."""
    stamp: dict[str, Value] = {
        "sdk.run.id": f"01K{run.source.ids(12).hex()[:23].upper()}",
        "sdk.app.id": "app",
        "sys.app.id": "6e0c",
        "sys.function.id": f"fn-{run.skill}",
    }
    first = len(run.spans)
    for step in range(1 + run.source.below(3)):
        run.trace_id = run.source.ids(16)
        execution = run.add("inngest.execution", 1, 5, stamp | {"process.pid": 4242, "host.name": "worker-3"}, None)
        gen_ai_call(run, execution)
        execution.end = run.clock
        inside: dict[str, Value] = {"inngest.step.id": f"step-{step}", "inngest.step.attempt": 0}
        for span in run.spans[first:]:
            span.attributes = stamp | inside | span.attributes if span is not execution else span.attributes
        first = len(run.spans)


def runs(spans: int, days: int, seed: int, first: date = FIRST_DAY) -> Iterator[Span]:
    """About `spans` spans (never fewer), run after run, in order of the runs' start."""
    source = Source(seed)
    start = int(datetime.combine(first, datetime.min.time(), UTC).timestamp()) * 10**9
    length, made = days * 86_400 * 10**9, 0
    while made < spans:
        # The last two minutes are left free, so that no run reaches past the last day.
        begin = start + int((length - 120 * 10**9) * made / spans)
        draw = source.chance()
        if draw < 0.55:
            run = Run(source, 0, begin)
            gen_ai_agent(run)
        elif draw < 0.75:
            run = Run(source, 1, begin)
            openinference_agent(run)
        elif draw < 0.88:
            run = Run(source, 2, begin)
            restate_invocation(run)
        else:
            run = Run(source, 3, begin)
            inngest_run(run)
        made += len(run.spans)
        yield from run.spans


def requests(spans: int, days: int, seed: int, first: date = FIRST_DAY) -> Iterator[list[Span]]:
    """The spans of each export request."""
    batch: list[Span] = []
    for span in runs(spans, days, seed, first):
        batch.append(span)
        if len(batch) == SPANS_PER_REQUEST:
            yield batch
            batch = []
    if batch:
        yield batch
