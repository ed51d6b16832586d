"""OpenLLMetry (Traceloop), where it departs from the GenAI names that it otherwise writes.

`llm.chat_completions.streaming_time_to_generate` begins at the first chunk, so it is no time to it.
"""

from flywheel_assets.spans.dialect import ByValue, Dialect, Named

DIALECT = Dialect(
    name="traceloop",
    columns={
        "reasoning_tokens": ("llm.usage.reasoning_tokens",),
        "total_tokens": ("llm.usage.total_tokens",),
        "agent_version": ("traceloop.entity.version",),
        "finish_reason": ("llm.response.finish_reason",),
        "workflow_name": ("traceloop.workflow.name",),
        "session_id": ("traceloop.association.properties.session_id",),
        "user_id": ("traceloop.association.properties.user_id", "llm.user"),
        "prompt_name": ("traceloop.prompt.key",),
        "prompt_version": (
            "traceloop.prompt.version",
            "traceloop.prompt.version_name",
            "traceloop.prompt.version_hash",
        ),
        "input_key": ("traceloop.entity.input",),
        "output_key": ("traceloop.entity.output",),
    },
    operations=(
        ByValue(
            "traceloop.span.kind",
            {"workflow": "workflow", "task": "chain", "agent": "agent", "tool": "tool", "unknown": "other"},
        ),
    ),
    named=(
        Named("agent", "agent_name", "traceloop.entity.name"),
        Named("tool", "tool_name", "traceloop.entity.name"),
        Named("workflow", "workflow_name", "traceloop.entity.name"),
    ),
)
