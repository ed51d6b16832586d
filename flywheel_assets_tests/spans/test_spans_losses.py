"""The loss report says of every attribute what became of it, and its counts are those of a plain count."""

import gzip
import json
import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from flywheel_assets.spans.keys import members, named
from flywheel_assets.tables.dialect_losses import DIALECT_LOSSES

FATES = ("spans", "believed", "outranked", "conflicting", "silent", "unusable")


def losses(otlp, batches, day) -> dict[tuple, tuple]:
    """{(dialect, attribute, column): counts}."""
    found = otlp.decode(batches, day)
    found.rows.read_all()
    rows = found.losses.table(day).to_pylist()
    return {(row["dialect"], row["attribute"], row["column_name"]): tuple(row[name] for name in FATES) for row in rows}


# One span each; what is expected of all of them together, by hand.
SPANS = [
    {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "llm.token_count.prompt": "5", "mine": 1},
    {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "llm.token_count.prompt": 6, "mine": "x"},
    {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": "many", "gen_ai.provider.name": ""},
    {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.provider.name": "azure"},
    {"gen_ai.operation.name": "daydream", "openinference.span.kind": "TOOL", "tool.name": "grep"},
    {"gen_ai.operation.name": "chat", "openinference.span.kind": "CHAIN", "gen_ai.response.finish_reasons": ["stop"]},
    {"gen_ai.operation.name": "chat", "ai.response.finishReason": "stop", "gen_ai.response.finish_reasons": ["stop"]},
    {
        "openinference.span.kind": "LLM",
        "input.value": "q",
        "llm.input_messages.0.message.content": "q",
        "llm.input_messages.1.message.content": "r",
    },
    {"langfuse.observation.type": "generation", "langfuse.observation.usage_details": '{"input": 3, "output": 1}'},
    {"langfuse.observation.type": "span", "langfuse.observation.usage_details": "{}"},
    {"traceloop.span.kind": "tool", "traceloop.entity.name": "grep"},
    {"traceloop.span.kind": "task", "traceloop.entity.name": "plan"},
    {"nobody.knows": 1.5},
]
#                                        spans believed outranked conflicting silent unusable
BY_HAND = {
    ("gen_ai", "gen_ai.operation.name", "operation"): (6, 6, 0, 0, 0, 0),
    ("gen_ai", "openinference.span.kind", "operation"): (1, 0, 1, 1, 0, 0),
    ("gen_ai", "gen_ai.usage.input_tokens", "input_tokens"): (3, 2, 0, 0, 0, 1),
    ("gen_ai", "llm.token_count.prompt", "input_tokens"): (2, 0, 2, 1, 0, 0),
    ("gen_ai", "gen_ai.provider.name", "provider"): (2, 1, 0, 0, 1, 0),
    ("gen_ai", "gen_ai.system", "provider"): (1, 0, 1, 1, 0, 0),
    ("gen_ai", "gen_ai.response.finish_reasons", "finish_reason"): (2, 2, 0, 0, 0, 0),
    ("gen_ai", "ai.response.finishReason", "finish_reason"): (1, 0, 1, 0, 0, 0),
    ("gen_ai", "mine", "-"): (2, None, None, None, None, None),
    ("openinference", "gen_ai.operation.name", "operation"): (1, 0, 0, 0, 1, 0),
    ("openinference", "openinference.span.kind", "operation"): (2, 2, 0, 0, 0, 0),
    ("openinference", "tool.name", "tool_name"): (1, 1, 0, 0, 0, 0),
    ("openinference", "input.value", "input_key"): (1, 1, 0, None, 0, 0),
    ("openinference", "llm.input_messages.<i>.message.content", "input_key"): (1, 0, 1, None, 0, 0),
    ("langfuse", "langfuse.observation.type", "operation"): (2, 2, 0, 0, 0, 0),
    ("langfuse", "langfuse.observation.usage_details", "input_tokens"): (1, 1, 0, 0, 0, 0),
    ("langfuse", "langfuse.observation.usage_details", "output_tokens"): (1, 1, 0, 0, 0, 0),
    ("langfuse", "langfuse.observation.usage_details", "-"): (1, None, None, None, None, None),
    ("traceloop", "traceloop.span.kind", "operation"): (2, 2, 0, 0, 0, 0),
    ("traceloop", "traceloop.entity.name", "tool_name"): (1, 1, 0, 0, 0, 0),
    ("traceloop", "traceloop.entity.name", "-"): (1, None, None, None, None, None),
    ("none", "nobody.knows", "-"): (1, None, None, None, None, None),
}


@pytest.mark.parametrize("split", [1, 3, len(SPANS)])
def test_the_report_equals_a_count_by_hand_however_the_spans_are_spread(otlp, split):
    spans = [otlp.span(number, carried) for number, carried in enumerate(SPANS, start=1)]
    batches = [otlp.batch(otlp.request(spans[start::split])) for start in range(split)]
    # Copies and spans of other days are not counted.
    batches.append(
        otlp.batch(
            otlp.request([spans[0], otlp.span(99, {"late": 1}, startTimeUnixNano=str(otlp.start + 86_400 * 10**9))])
        )
    )
    assert losses(otlp, batches, otlp.day) == BY_HAND


def plain_count(spans, dialect_of):
    """Spans by (dialect, attribute), with nothing but json."""
    counts = Counter()
    for span in spans:
        keys = {re.sub(r"(?<=\.)\d+(?=\.|$)", "<i>", item["key"]) for item in span.get("attributes", [])}
        dialect = dialect_of[span["traceId"], span["spanId"]] or "none"
        counts.update((dialect, key) for key in keys if not key.startswith("process.command"))
    return counts


@pytest.mark.parametrize("data", ["trail/otlp", "captures/restate"])
def test_every_attribute_of_recorded_spans_is_counted_exactly(otlp, shared_data, data):
    texts = [
        text
        for path in sorted((shared_data / data).glob("*.json*"))
        if path.suffix in {".gz", ".jsonl"}
        for text in (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).splitlines()
    ]
    documents = [json.loads(text) for text in texts]
    spans = {
        (span["traceId"], span["spanId"]): span
        for document in documents
        for resource in document["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    }
    batches = [otlp.landed(text, "json") for text in texts]
    days = sorted(
        {datetime.fromtimestamp(int(one["startTimeUnixNano"]) // 10**9, UTC).date() for one in spans.values()}
    )
    found, dialect_of = Counter(), {}
    partly = {*members(), *(one.key for _, one in named())}
    for day in days:
        decoded = otlp.decode(batches, day)
        dialect_of |= {(row["trace_id"], row["span_id"]): row["dialect"] for row in decoded.rows.read_all().to_pylist()}
        table = decoded.losses.table(day)
        assert DIALECT_LOSSES.conform(table).num_rows > 0
        seen = {}
        for row in table.to_pylist():
            fates = [row[name] for name in ("believed", "outranked", "silent", "unusable")]
            assert fates == [None] * 4 if row["column_name"] == "-" else sum(fates) == row["spans"]
            if row["attribute"] not in partly:
                place = row["dialect"], row["attribute"]
                assert seen.setdefault(place, row["spans"]) == row["spans"]
        found.update(seen)
    counted = plain_count(spans.values(), dialect_of)
    assert found == {place: count for place, count in counted.items() if place[1] not in partly}
    assert len(found) > 10
