"""Vercel's AI SDK: an outer span per call of the SDK, inner ones for the model calls and tools in it."""

from flywheel_assets.spans.dialect import ByValue, Dialect

DIALECT = Dialect(
    name="vercel_ai",
    columns={
        "provider": ("ai.model.provider",),
        "request_model": ("ai.model.id",),
        "response_model": ("ai.response.model",),
        "response_id": ("ai.response.id",),
        "input_tokens": ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
        "output_tokens": ("ai.usage.outputTokens", "ai.usage.completionTokens"),
        "cache_read_tokens": ("ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens"),
        "cache_write_tokens": ("ai.usage.inputTokenDetails.cacheWriteTokens",),
        "reasoning_tokens": ("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"),
        "total_tokens": ("ai.usage.totalTokens", "ai.usage.tokens"),
        "first_chunk_s": ("ai.response.msToFirstChunk",),
        "temperature": ("ai.settings.temperature",),
        "max_output_tokens": ("ai.settings.maxOutputTokens", "ai.settings.maxTokens"),
        "finish_reason": ("ai.response.finishReason",),
        "agent_name": ("ai.telemetry.functionId",),
        "tool_name": ("ai.toolCall.name",),
        "tool_call_id": ("ai.toolCall.id",),
        "session_id": ("ai.telemetry.metadata.sessionId",),
        "user_id": ("ai.telemetry.metadata.userId",),
        "input_key": ("ai.prompt.messages", "ai.prompt", "ai.toolCall.args", "ai.values", "ai.value"),
        "output_key": (
            "ai.response.text",
            "ai.response.object",
            "ai.response.toolCalls",
            "ai.toolCall.result",
            "ai.result.text",
            "ai.result.object",
        ),
    },
    operations=(
        ByValue(
            "ai.operationId",
            {
                "ai.generatetext": "agent",
                "ai.streamtext": "agent",
                "ai.generateobject": "agent",
                "ai.streamobject": "agent",
                "ai.generatetext.dogenerate": "llm",
                "ai.streamtext.dostream": "llm",
                "ai.generateobject.dogenerate": "llm",
                "ai.streamobject.dostream": "llm",
                "ai.embed": "chain",
                "ai.embedmany": "chain",
                "ai.embed.doembed": "embedding",
                "ai.embedmany.doembed": "embedding",
                "ai.toolcall": "tool",
            },
        ),
    ),
    scales={"ai.response.msToFirstChunk": 0.001},
)
