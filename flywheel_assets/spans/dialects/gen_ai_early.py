"""GenAI spans from before `gen_ai.operation.name`: what names a model and nothing else is a model call."""

from flywheel_assets.spans.dialect import ByKey, ByValue, Dialect

DIALECT = Dialect(
    name="gen_ai_early",
    operations=(
        ByValue(
            "llm.request.type", {"chat": "llm", "completion": "llm", "embedding": "embedding", "rerank": "retrieval"}
        ),
        ByKey("gen_ai.request.model", "llm"),
    ),
)
