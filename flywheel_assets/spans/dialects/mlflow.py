"""MLflow tracing. It writes attribute values as JSON text, so a name comes with quotes around it."""

from flywheel_assets.spans.dialect import ByValue, Dialect, Named

OPERATIONS = {
    "agent": "agent",
    "chain": "chain",
    "chat_model": "llm",
    "llm": "llm",
    "embedding": "embedding",
    "evaluator": "evaluation",
    "guardrail": "guardrail",
    "parser": "other",
    "reranker": "retrieval",
    "retriever": "retrieval",
    "tool": "tool",
    "workflow": "workflow",
}

DIALECT = Dialect(
    name="mlflow",
    columns={
        "provider": ("mlflow.llm.provider",),
        "request_model": ("mlflow.llm.model",),
        "input_tokens": ("mlflow.chat.tokenUsage#input_tokens",),
        "output_tokens": ("mlflow.chat.tokenUsage#output_tokens",),
        "total_tokens": ("mlflow.chat.tokenUsage#total_tokens",),
        "cache_read_tokens": ("mlflow.chat.tokenUsage#cache_read_input_tokens",),
        "cache_write_tokens": ("mlflow.chat.tokenUsage#cache_creation_input_tokens",),
        "reasoning_tokens": ("mlflow.chat.tokenUsage#reasoning_tokens",),
        "cost_usd": ("mlflow.llm.cost#total_cost",),
        "workflow_name": ("mlflow.traceName",),
        "prompt_name": ("mlflow.linkedPrompts#name",),
        "prompt_version": ("mlflow.linkedPrompts#version",),
        "session_id": ("mlflow.trace.session",),
        "user_id": ("mlflow.trace.user",),
        "input_key": ("mlflow.spanInputs",),
        "output_key": ("mlflow.spanOutputs",),
    },
    operations=(ByValue("mlflow.spanType", OPERATIONS),),
    named=(Named("tool", "tool_name"), Named("agent", "agent_name")),
    quoted=True,
)
