"""MLflow tracing. It writes attribute values as JSON text, so a name may come with quotes around it."""

from flywheel_assets.spans.dialect import ByValue, Dialect

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
        "workflow_name": ("mlflow.traceName",),
        "session_id": ("mlflow.trace.session",),
        "user_id": ("mlflow.trace.user",),
        "input_key": ("mlflow.spanInputs",),
        "output_key": ("mlflow.spanOutputs",),
    },
    operations=(ByValue("mlflow.spanType", OPERATIONS | {f'"{name}"': what for name, what in OPERATIONS.items()}),),
)
