"""Token counts become parts that do not overlap, whichever way the provider counts."""

import pytest

GEN_AI = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "total_tokens": "gen_ai.usage.total_tokens",
    "provider": "gen_ai.provider.name",
    "request_model": "gen_ai.request.model",
}
OPENINFERENCE = {
    "input_tokens": "llm.token_count.prompt",
    "output_tokens": "llm.token_count.completion",
    "cache_read_tokens": "llm.token_count.prompt_details.cache_read",
    "reasoning_tokens": "llm.token_count.completion_details.reasoning",
    "provider": "llm.provider",
    "kind": "openinference.span.kind",
}
# what is reported, by column: (spelling, reported, (input without cache, output without reasoning))
CASES = {
    "OpenAI: what is cached is part of the input": (
        GEN_AI,
        {
            "provider": "openai",
            "input_tokens": 100,
            "cache_read_tokens": 40,
            "output_tokens": 30,
            "reasoning_tokens": 10,
        },
        (60, 20),
    ),
    "Anthropic: what is cached is beside the input": (
        GEN_AI,
        {
            "provider": "anthropic",
            "input_tokens": 100,
            "cache_read_tokens": 40,
            "cache_write_tokens": 7,
            "output_tokens": 3,
        },
        (100, 3),
    ),
    "Anthropic's models at other providers count likewise": (
        GEN_AI,
        {
            "provider": "aws.bedrock",
            "request_model": "us.anthropic.claude-x",
            "input_tokens": 9,
            "cache_read_tokens": 4,
        },
        (9, None),
    ),
    "Anthropic through a wrapper that adds the cache to the input, as its total shows": (
        GEN_AI,
        {
            "provider": "anthropic",
            "input_tokens": 100,
            "cache_read_tokens": 40,
            "output_tokens": 5,
            "total_tokens": 105,
        },
        (60, 5),
    ),
    "the total shows a cache beside the input, whoever it is": (
        GEN_AI,
        {"provider": "x", "input_tokens": 100, "cache_read_tokens": 40, "output_tokens": 5, "total_tokens": 145},
        (100, 5),
    ),
    "more was cached than went in: it is beside": (GEN_AI, {"input_tokens": 3, "cache_read_tokens": 40}, (3, None)),
    "OpenInference counts details as parts, for Anthropic too": (
        OPENINFERENCE,
        {"kind": "LLM", "provider": "anthropic", "input_tokens": 100, "cache_read_tokens": 40},
        (60, None),
    ),
    "the total shows thoughts beside the output": (
        GEN_AI,
        {"input_tokens": 5, "output_tokens": 845, "reasoning_tokens": 1173, "total_tokens": 2023},
        (5, 845),
    ),
    "fewer thoughts than output, and the total shows them beside it": (
        GEN_AI,
        {"input_tokens": 5, "output_tokens": 80, "reasoning_tokens": 20, "total_tokens": 105},
        (5, 80),
    ),
    "nothing was cached": (GEN_AI, {"provider": "anthropic", "input_tokens": 5, "cache_read_tokens": 0}, (5, None)),
    "what was not measured is not zero": (GEN_AI, {"cache_read_tokens": 5, "reasoning_tokens": 2}, (None, None)),
}


def test_counts_become_disjoint_parts_and_stay_as_reported(otlp):
    """All at once, so that one row's way of counting does not leak into another's."""
    spans = [
        otlp.span(number, {spelling[name]: value for name, value in reported.items()})
        for number, (spelling, reported, _) in enumerate(CASES.values(), start=1)
    ]
    rows = otlp.rows(otlp.batch(otlp.request(spans)))
    found = {
        case: (row["fresh_input_tokens"], row["plain_output_tokens"]) for case, row in zip(CASES, rows, strict=True)
    }
    assert found == {case: parts for case, (_, _, parts) in CASES.items()}
    for row, (_, reported, _) in zip(rows, CASES.values(), strict=True):
        assert {name: row[name] for name in reported if name != "kind"} == {
            k: v for k, v in reported.items() if k != "kind"
        }


# (attributes, the span's name, columns)
INSIDE = {
    "langfuse: usage, cost and parameters are members of objects": (
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.usage_details": '{"input": 12, "output": 3, "total": 15, "input_cached_tokens": 4}',
            "langfuse.observation.cost_details": '{"total": 0.5}',
            "langfuse.observation.model.parameters": '{"temperature": "0.2", "max_tokens": 9}',
        },
        "x",
        {
            "dialect": "langfuse",
            "operation": "llm",
            "input_tokens": 12,
            "output_tokens": 3,
            "total_tokens": 15,
            "cache_read_tokens": 4,
            "cost_usd": 0.5,
            "temperature": 0.2,
            "max_output_tokens": 9,
        },
    ),
    "langfuse: a whole attribute is believed before a member": (
        {"gen_ai.usage.input_tokens": 7, "langfuse.observation.usage_details": '{"input": 12, "output": 3}'},
        "x",
        {"input_tokens": 7, "output_tokens": 3},
    ),
    "langfuse: an object that is none, and members that are none": (
        {"langfuse.observation.usage_details": "[1", "langfuse.observation.cost_details": '{"total": "much"}'},
        "x",
        {},
    ),
    "langfuse: only the level ERROR is an error": (
        {"langfuse.observation.level": "ERROR", "langfuse.observation.type": "span"},
        "x",
        {"dialect": "langfuse", "operation": "chain", "error_type": "ERROR"},
    ),
    "langfuse: any other level is none": ({"langfuse.observation.level": "DEFAULT"}, "x", {}),
    "langfuse: a tool is named by its span": (
        {"langfuse.observation.type": "tool"},
        "search",
        {"dialect": "langfuse", "operation": "tool", "tool_name": "search"},
    ),
    "gen_ai: a tool that only the span names": (
        {"gen_ai.operation.name": "execute_tool"},
        "execute_tool search",
        {"dialect": "gen_ai", "operation": "tool", "tool_name": "search"},
    ),
    "traceloop: the entity is what the kind says": (
        {"traceloop.span.kind": "tool", "traceloop.entity.name": "search"},
        "x",
        {"dialect": "traceloop", "operation": "tool", "tool_name": "search"},
    ),
    "traceloop: a task's entity is neither agent nor tool": (
        {"traceloop.span.kind": "task", "traceloop.entity.name": "search"},
        "x",
        {"dialect": "traceloop", "operation": "chain"},
    ),
    "mlflow: texts come out of their quotes, usage out of its object": (
        {
            "mlflow.spanType": '"LLM"',
            "mlflow.llm.model": '"m"',
            "mlflow.llm.provider": "p",
            "mlflow.chat.tokenUsage": '{"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}',
            "mlflow.llm.cost": '{"total_cost": 0.25}',
            "mlflow.linkedPrompts": '[{"name": "greet", "version": "3"}]',
        },
        "x",
        {
            "dialect": "mlflow",
            "operation": "llm",
            "request_model": "m",
            "provider": "p",
            "input_tokens": 5,
            "output_tokens": 2,
            "total_tokens": 7,
            "cost_usd": 0.25,
            "prompt_name": "greet",
            "prompt_version": "3",
        },
    ),
    "vercel_ai: milliseconds become seconds, version 6 has details": (
        {
            "ai.response.msToFirstChunk": 426.0,
            "ai.usage.inputTokenDetails.cacheReadTokens": 3,
            "ai.usage.cachedInputTokens": 2,
        },
        "x",
        {"first_chunk_s": 0.426, "cache_read_tokens": 3},
    ),
    "openinference: parameters are an object, documents are the answer of a retriever": (
        {
            "openinference.span.kind": "RETRIEVER",
            "llm.invocation_parameters": '{"temperature": 0, "max_tokens": null}',
            "retrieval.documents.0.document.content": "a",
        },
        "x",
        {
            "dialect": "openinference",
            "operation": "retrieval",
            "temperature": 0.0,
            "output_key": "retrieval.documents.0.document.content",
        },
    ),
}


@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_members_quotes_names_and_units(otlp, form):
    spans = [
        otlp.span(number, carried, name=name) for number, (carried, name, _) in enumerate(INSIDE.values(), start=1)
    ]
    rows = otlp.rows(otlp.batch(otlp.request(spans), form))
    found = {case: otlp.promoted(row) for case, row in zip(INSIDE, rows, strict=True)}
    assert found == {case: expected for case, (_, _, expected) in INSIDE.items()}
