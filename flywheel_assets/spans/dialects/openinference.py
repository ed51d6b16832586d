"""OpenInference (Arize): the span kind, `llm.*` attributes, and flattened messages."""

from flywheel_assets.spans.dialect import ByKey, ByValue, Dialect, Named

DIALECT = Dialect(
    name="openinference",
    columns={
        "provider": ("llm.provider", "llm.system"),
        "request_model": ("llm.request.model_name", "llm.model_name", "embedding.model_name", "reranker.model_name"),
        "response_model": ("llm.response.model_name",),
        "input_tokens": ("llm.token_count.prompt",),
        "output_tokens": ("llm.token_count.completion",),
        "cache_read_tokens": ("llm.token_count.prompt_details.cache_read",),
        "cache_write_tokens": ("llm.token_count.prompt_details.cache_write",),
        "reasoning_tokens": ("llm.token_count.completion_details.reasoning",),
        "total_tokens": ("llm.token_count.total",),
        "cost_usd": ("llm.cost.total",),
        "temperature": ("llm.invocation_parameters#temperature",),
        "max_output_tokens": (
            "llm.invocation_parameters#max_tokens",
            "llm.invocation_parameters#max_completion_tokens",
            "llm.invocation_parameters#max_output_tokens",
        ),
        "finish_reason": ("llm.finish_reason",),
        "agent_name": ("agent.name", "graph.node.name"),
        "tool_name": ("tool.name", "tool_call.function.name"),
        "tool_call_id": ("tool_call.id", "tool.id"),
        "prompt_name": ("prompt.id",),
        "prompt_version": ("llm.prompt_template.version",),
        "input_key": (
            "input.value",
            "llm.input_messages.<i>.message.content",
            "llm.input_messages.<i>.message.contents.<i>.message_content.text",
            "llm.prompts.<i>.prompt.text",
            "llm.prompts",
            "reranker.query",
            "tool.parameters",
        ),
        "output_key": (
            "output.value",
            "llm.output_messages.<i>.message.content",
            "llm.output_messages.<i>.message.contents.<i>.message_content.text",
            "llm.choices.<i>.completion.text",
            "retrieval.documents.<i>.document.content",
            "reranker.output_documents.<i>.document.content",
        ),
    },
    operations=(
        # Annotations sent afterwards travel on a span of their own, which is no work of an agent.
        ByKey("trace.annotations.<i>.annotation.name", "evaluation"),
        ByKey("session.annotations.<i>.annotation.name", "evaluation"),
        ByValue(
            "openinference.span.kind",
            {
                "agent": "agent",
                "chain": "chain",
                "embedding": "embedding",
                "evaluator": "evaluation",
                "guardrail": "guardrail",
                "llm": "llm",
                "prompt": "other",
                "reranker": "retrieval",
                "retriever": "retrieval",
                "tool": "tool",
            },
        ),
        # Annotations on a span of no kind: it was made to carry them.
        ByKey("annotations.<i>.annotation.name", "evaluation"),
        ByKey("evaluations.<i>.evaluation.name", "evaluation"),
    ),
    named=(Named("agent", "agent_name", "graph.node.id"),),
)
