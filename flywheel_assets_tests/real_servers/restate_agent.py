"""A small agent service on Restate: `python restate_agent.py PORT OTLP_ENDPOINT ARTIFACTS`, a process of its own.

Every handler ends in another way. `agent` speaks as an agent does: it asks the client which model to use
and makes GenAI spans under the trace that Restate hands it.
"""

import asyncio
import sys
from collections import Counter
from datetime import timedelta

import restate
from hypercorn.asyncio import serve
from hypercorn.config import Config
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from flywheel_assets.client.client import Client

PORT, ENDPOINT, ARTIFACTS = sys.argv[1:]
tracing = TracerProvider(resource=Resource({"service.name": "support"}))
tracing.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{ENDPOINT}/v1/traces")))
trace.set_tracer_provider(tracing)
tracer = trace.get_tracer("support")
client = Client(ARTIFACTS, default_model="provider/small")

service = restate.Service("Support")
tried: Counter[str] = Counter()


@service.handler()
async def ok(ctx: restate.Context, question: str) -> str:
    async def tool() -> str:
        return f"found {question}"

    return await ctx.run_typed("tool", tool)


@service.handler()
async def flaky(_ctx: restate.Context, question: str) -> str:
    tried[question] += 1
    if tried[question] < 3:
        raise RuntimeError("rate limited")
    return "at the third"


@service.handler()
async def terminal(_ctx: restate.Context, _question: str) -> str:
    raise restate.TerminalError("policy refused", status_code=422)


@service.handler()
async def conflict(_ctx: restate.Context, _question: str) -> str:
    raise restate.TerminalError("killed", status_code=409)


@service.handler(invocation_retry_policy=restate.InvocationRetryPolicy(max_attempts=3, on_max_attempts="kill"))
async def gives_up(_ctx: restate.Context, _question: str) -> str:
    raise RuntimeError("always broken")


@service.handler()
async def pauses(_ctx: restate.Context, question: str) -> str:
    tried[question] += 1
    if tried[question] < 4:
        raise RuntimeError("not yet")
    return "after it was resumed"


@service.handler(inactivity_timeout=timedelta(milliseconds=200))
async def waits(ctx: restate.Context, _question: str) -> str:
    name, promise = ctx.awakeable()

    async def tell() -> str:
        return name

    await ctx.run_typed("tell", tell)
    return await promise


@service.handler(inactivity_timeout=timedelta(hours=1))
async def sleeps(ctx: restate.Context, _question: str) -> str:
    await ctx.sleep(timedelta(hours=1))
    return "rested"


@service.handler()
async def parent(ctx: restate.Context, question: str) -> str:
    ctx.service_send(ok, arg="sent")
    return await ctx.service_call(ok, arg=question)


@service.handler()
async def agent(ctx: restate.Context, question: str) -> str:
    headers = ctx.request().attempt_headers
    asked = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support"}
    with tracer.start_as_current_span("invoke_agent support", extract(headers), attributes=asked) as span:
        decision = client.decide("triage", unit_id=question)
        span.set_attribute("gen_ai.request.model", decision.model)
        call = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": decision.model,
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 5,
        }
        with tracer.start_as_current_span(f"chat {decision.model}", attributes=call):
            return decision.decision_id


@service.handler()
async def judged(ctx: restate.Context, question: str) -> str:
    """As `agent`, with the newest artifact; a check says on the spot how the run went."""
    headers = ctx.request().attempt_headers
    asked = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support"}
    with tracer.start_as_current_span("invoke_agent support", extract(headers), attributes=asked) as span:
        client.refresh()
        decision = client.decide("triage", unit_id=question)
        span.set_attribute("gen_ai.request.model", decision.model)
        client.feedback("correct", 1.0, run=span, tier="check", author="checks", author_version="1", tracer=tracer)
        return decision.segment


if __name__ == "__main__":
    config = Config()
    config.bind = [f"127.0.0.1:{PORT}"]
    config.errorlog = None
    asyncio.run(serve(restate.app([service]), config))
