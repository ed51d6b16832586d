"""Langfuse's OpenTelemetry attributes. Its usage and cost are JSON in one attribute and stay there."""

from flywheel_assets.spans.dialect import ByValue, Dialect

DIALECT = Dialect(
    name="langfuse",
    columns={
        "request_model": ("langfuse.observation.model.name",),
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
)
