"""Langfuse's OpenTelemetry attributes. Its usage, cost and parameters are JSON objects in one attribute each."""

from flywheel_assets.spans.dialect import ByValue, Dialect, Named

USAGE, COST = "langfuse.observation.usage_details", "langfuse.observation.cost_details"
PARAMETERS = "langfuse.observation.model.parameters"
# Members of the usage, as Langfuse's own wrappers, its OpenTelemetry door and its users name them.
CACHE_READ = (
    "cache_read_input_tokens",
    "input_cached_tokens",
    "input_cache_read",
    "prompt_details.cache_read",
    "prompt_tokens_details.cached_tokens",
)
CACHE_WRITE = (
    "cache_creation_input_tokens",
    "input_cache_creation",
    "prompt_details.cache_write",
)
REASONING = (
    "output_reasoning_tokens",
    "output_reasoning",
    "completion_details.reasoning",
    "completion_tokens_details.reasoning_tokens",
)


def _members(key: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{key}#{name}" for name in names)


DIALECT = Dialect(
    name="langfuse",
    columns={
        "request_model": ("langfuse.observation.model.name",),
        "input_tokens": _members(USAGE, "input", "input_tokens", "prompt_tokens"),
        "output_tokens": _members(USAGE, "output", "output_tokens", "completion_tokens"),
        "total_tokens": _members(USAGE, "total", "total_tokens"),
        "cache_read_tokens": _members(USAGE, *CACHE_READ),
        "cache_write_tokens": _members(USAGE, *CACHE_WRITE),
        "reasoning_tokens": _members(USAGE, *REASONING),
        "cost_usd": _members(COST, "total"),
        "temperature": _members(PARAMETERS, "temperature"),
        "max_output_tokens": _members(PARAMETERS, "max_tokens", "max_completion_tokens", "maxTokens"),
        "workflow_name": ("langfuse.trace.name",),
        "session_id": ("langfuse.session.id",),
        "user_id": ("langfuse.user.id",),
        "prompt_name": ("langfuse.observation.prompt.name",),
        "prompt_version": ("langfuse.observation.prompt.version",),
        "input_key": ("langfuse.observation.input", "langfuse.trace.input"),
        "output_key": ("langfuse.observation.output", "langfuse.trace.output"),
    },
    operations=(
        ByValue(
            "langfuse.observation.type",
            {
                "agent": "agent",
                "chain": "chain",
                "embedding": "embedding",
                "evaluator": "evaluation",
                "event": "other",
                "generation": "llm",
                "guardrail": "guardrail",
                "retriever": "retrieval",
                "span": "chain",
                "tool": "tool",
            },
        ),
    ),
    named=(Named("tool", "tool_name"), Named("agent", "agent_name")),
)
