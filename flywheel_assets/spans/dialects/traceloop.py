"""OpenLLMetry (Traceloop), where it departs from the GenAI names that it otherwise writes."""

from flywheel_assets.spans.dialect import ByValue, Dialect

DIALECT = Dialect(
    name="traceloop",
    columns={
        "reasoning_tokens": ("llm.usage.reasoning_tokens",),
        "finish_reason": ("llm.response.finish_reason",),
        "workflow_name": ("traceloop.workflow.name",),
        "session_id": ("traceloop.association.properties.session_id",),
        "user_id": ("traceloop.association.properties.user_id", "llm.user"),
        "prompt_name": ("traceloop.prompt.key",),
        "prompt_version": ("traceloop.prompt.version", "traceloop.prompt.version_hash"),
        "input_key": ("traceloop.entity.input",),
        "output_key": ("traceloop.entity.output",),
    },
    operations=(
        ByValue(
            "traceloop.span.kind",
            {"workflow": "workflow", "task": "chain", "agent": "agent", "tool": "tool", "unknown": "other"},
        ),
    ),
)
