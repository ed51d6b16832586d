"""Each dialect: attributes as emitters write them, and the columns they become."""

import pytest

GEN_AI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "resp_1",
    "gen_ai.response.finish_reasons": ["length", "stop"],
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 3,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.cache_creation.input_tokens": 5,
    "gen_ai.usage.reasoning.output_tokens": 2,
    "gen_ai.conversation.id": "c1",
    "gen_ai.input.messages": "[]",
    "gen_ai.output.messages": "[{}]",
}
GEN_AI_ROW = {
    "dialect": "gen_ai",
    "operation": "llm",
    "provider": "openai",
    "request_model": "gpt-4o",
    "response_model": "gpt-4o-2024-08-06",
    "response_id": "resp_1",
    "finish_reason": "stop",
    "input_tokens": 12,
    "output_tokens": 3,
    "cache_read_tokens": 4,
    "cache_write_tokens": 5,
    "reasoning_tokens": 2,
    "session_id": "c1",
    "input_key": "gen_ai.input.messages",
    "output_key": "gen_ai.output.messages",
}
# name of the case: (attributes, other fields of the span, expected columns)
CASES = {
    "gen_ai: a model call": (GEN_AI, {}, GEN_AI_ROW),
    "gen_ai: an agent": (
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper", "gen_ai.prompt.version": 3},
        {},
        {"dialect": "gen_ai", "operation": "agent", "agent_name": "helper", "prompt_version": "3"},
    ),
    "gen_ai: a tool": (
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "grep",
            "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": "{}",
            "gen_ai.tool.call.result": "hit",
        },
        {},
        {
            "dialect": "gen_ai",
            "operation": "tool",
            "tool_name": "grep",
            "tool_call_id": "call_1",
            "input_key": "gen_ai.tool.call.arguments",
            "output_key": "gen_ai.tool.call.result",
        },
    ),
    "gen_ai: a workflow": (
        {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "nightly"},
        {},
        {"dialect": "gen_ai", "operation": "workflow", "workflow_name": "nightly"},
    ),
    "gen_ai: an operation that nobody knows": (
        {"gen_ai.operation.name": "daydream"},
        {},
        {"dialect": "gen_ai", "operation": "other"},
    ),
    "gen_ai: an evaluator's own span": (
        {"gen_ai.evaluation.name": "helpfulness"},
        {},
        {"dialect": "gen_ai", "operation": "evaluation"},
    ),
    "gen_ai: names from before": (
        {
            "gen_ai.system": "anthropic",
            "gen_ai.request.model": "claude",
            "gen_ai.usage.prompt_tokens": "12",
            "gen_ai.usage.completion_tokens": 7.0,
            "gen_ai.prompt.0.content": "a",
            "gen_ai.prompt.10.content": "c",
            "gen_ai.prompt.2.content": "b",
            "gen_ai.completion.0.content": "d",
            "gen_ai.completion.0.finish_reason": "stop",
        },
        {},
        {
            "dialect": "gen_ai_early",
            "operation": "llm",
            "provider": "anthropic",
            "request_model": "claude",
            "input_tokens": 12,
            "output_tokens": 7,
            "input_key": "gen_ai.prompt.10.content",
            "output_key": "gen_ai.completion.0.content",
            "finish_reason": "stop",
        },
    ),
    "gen_ai: new names are believed before old ones": (
        {"gen_ai.system": "old", "gen_ai.provider.name": "new"},
        {},
        {"provider": "new"},
    ),
    "openinference: a model call": (
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-4o",
            "llm.provider": "azure",
            "llm.system": "openai",
            "llm.token_count.prompt": "1187",
            "llm.token_count.completion": "5",
            "llm.token_count.prompt_details.cache_read": "7",
            "llm.cost.total": "0.25",
            "input.value": "q",
            "llm.input_messages.0.message.content": "q",
            "output.value": "a",
            "session.id": "s",
            "user.id": "u",
        },
        {},
        {
            "dialect": "openinference",
            "operation": "llm",
            "provider": "azure",
            "request_model": "gpt-4o",
            "input_tokens": 1187,
            "output_tokens": 5,
            "cache_read_tokens": 7,
            "cost_usd": 0.25,
            "input_key": "input.value",
            "output_key": "output.value",
            "session_id": "s",
            "user_id": "u",
        },
    ),
    "openinference: only flattened messages": (
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.9.message.content": "x",
            "llm.input_messages.11.message.content": "y",
            "llm.output_messages.0.message.content": "z",
        },
        {},
        {
            "dialect": "openinference",
            "operation": "llm",
            "input_key": "llm.input_messages.11.message.content",
            "output_key": "llm.output_messages.0.message.content",
        },
    ),
    "openinference: a chain": (
        {"openinference.span.kind": "CHAIN"},
        {},
        {"dialect": "openinference", "operation": "chain"},
    ),
    "openinference: a tool": (
        {"openinference.span.kind": "tool", "tool.name": "grep"},
        {},
        {"dialect": "openinference", "operation": "tool", "tool_name": "grep"},
    ),
    "openinference: annotations sent afterwards are no run": (
        {"trace.annotations.0.annotation.name": "quality", "openinference.span.kind": "CHAIN"},
        {},
        {"dialect": "openinference", "operation": "evaluation"},
    ),
    "openinference: a span of no kind that carries annotations is no run": (
        {"annotations.0.annotation.name": "quality"},
        {},
        {"dialect": "openinference", "operation": "evaluation"},
    ),
    "openinference: a span that was annotated stays what it is": (
        {"annotations.0.annotation.name": "quality", "openinference.span.kind": "LLM"},
        {},
        {"dialect": "openinference", "operation": "llm"},
    ),
    "both conventions: the standard is believed": (
        {"gen_ai.operation.name": "chat", "openinference.span.kind": "CHAIN", "llm.model_name": "m"},
        {},
        {"dialect": "gen_ai", "operation": "llm", "request_model": "m"},
    ),
    "both conventions: who knows the operation is believed before who does not": (
        {"gen_ai.operation.name": "daydream", "openinference.span.kind": "TOOL"},
        {},
        {"dialect": "openinference", "operation": "tool"},
    ),
    "vercel_ai: a call of the SDK": (
        {
            "ai.operationId": "ai.generateText",
            "ai.telemetry.functionId": "haiku",
            "ai.model.id": "gpt-4o-mini",
            "ai.usage.promptTokens": 9,
            "ai.response.text": "…",
        },
        {},
        {
            "dialect": "vercel_ai",
            "operation": "agent",
            "agent_name": "haiku",
            "request_model": "gpt-4o-mini",
            "input_tokens": 9,
            "output_key": "ai.response.text",
        },
    ),
    "vercel_ai: the model call in it, with GenAI names beside its own": (
        {
            "ai.operationId": "ai.streamText.doStream",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.finish_reasons": ["stop"],
            "ai.response.finishReason": "length",
        },
        {},
        {"dialect": "vercel_ai", "operation": "llm", "request_model": "gpt-4o-mini", "finish_reason": "stop"},
    ),
    "traceloop: an agent": (
        {
            "traceloop.span.kind": "agent",
            "traceloop.workflow.name": "nightly",
            "traceloop.association.properties.session_id": "s",
            "traceloop.entity.input": "q",
        },
        {},
        {
            "dialect": "traceloop",
            "operation": "agent",
            "workflow_name": "nightly",
            "session_id": "s",
            "input_key": "traceloop.entity.input",
        },
    ),
    "langfuse: a generation": (
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "m",
            "langfuse.observation.prompt.name": "p",
            "langfuse.observation.prompt.version": 4,
            "langfuse.session.id": "s",
        },
        {},
        {
            "dialect": "langfuse",
            "operation": "llm",
            "request_model": "m",
            "prompt_name": "p",
            "prompt_version": "4",
            "session_id": "s",
        },
    ),
    "mlflow: a span type in quotes": (
        {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.spanInputs": "{}"},
        {},
        {"dialect": "mlflow", "operation": "llm", "input_key": "mlflow.spanInputs"},
    ),
    "general: an unknown session is no session": ({"session.id": "unknown"}, {}, {}),
    "general: error.type": ({"error.type": "Timeout", "exception.type": "E"}, {}, {"error_type": "Timeout"}),
    "numbers that are none are NULL": (
        {"gen_ai.usage.input_tokens": "many", "gen_ai.usage.output_tokens": 1.5, "flywheel.propensity": "half"},
        {},
        {},
    ),
    "numbers in other clothes": (
        {
            "gen_ai.usage.input_tokens": " 12 ",
            "gen_ai.usage.output_tokens": 4.0,
            "flywheel.propensity": "5e-1",
            "flywheel.keep_prob": 1,
        },
        {},
        {"input_tokens": 12, "output_tokens": 4, "propensity": 0.5, "keep_prob": 1.0},
    ),
    "an empty text says nothing": (
        {"gen_ai.provider.name": "", "gen_ai.system": "openai", "gen_ai.input.messages": ""},
        {},
        {"provider": "openai"},
    ),
    "what tells the operation says nothing": ({"gen_ai.operation.name": "", "gen_ai.evaluation.name": ""}, {}, {}),
    "an array without items has no last": ({"gen_ai.response.finish_reasons": []}, {}, {}),
}


@pytest.mark.parametrize("form", ["json", "protobuf"])
@pytest.mark.parametrize("case", CASES)
def test_attributes_become_columns(otlp, case, form):
    carried, fields, expected = CASES[case]
    batch = otlp.batch(otlp.request([otlp.span(1, carried, **fields)]), form)
    (row,) = otlp.rows(batch)
    assert otlp.promoted(row) == expected


def test_spans_of_one_batch_do_not_leak_into_each_other(otlp):
    """All cases at once give what each gives alone: promotion is columnar, and must not mix rows."""
    spans = [
        otlp.span(number, carried, **fields) for number, (carried, fields, _) in enumerate(CASES.values(), start=1)
    ]
    rows = otlp.rows(otlp.batch(otlp.request(spans)))
    found = [otlp.promoted(row) for row in rows]
    assert found == [expected for _, _, expected in CASES.values()]
