"""Recorded traces of many frameworks through the front door: what each file says, read off the files by hand."""

from pathlib import Path

import pytest

from flywheel_assets.sources.ingest import ingest

MINI, GPT4O = "gpt-4o-mini", "gpt-4o"
VERTEX = "projects/vertex-ai-integration-467711/locations/europe-central2/publishers/google/models/gemini-2.5-flash"
JOKES = {"get_dad_joke_suggestion", "get_one_liner_suggestion", "get_pun_suggestion"}
# file: (spans, models, input tokens, output tokens, tools, scores); None: the file has no such count.
BY_HAND = {
    "langfuse/agno-2025-06-11": (6, {MINI}, 2936, 903, {"duckduckgo_search"}, 0),
    "langfuse/autogen-2025-06-06": (2, {GPT4O}, 41, 3, set(), 0),
    "langfuse/beeai-2025-08-01": (29, {MINI}, 5542, None, {"OpenMeteoTool", "Wikipedia"}, 2),
    "langfuse/claude-agent-2025-12-22": (7, {"claude-sonnet-4-5-20250929"}, 34, 232, {"mcp__weather__get_weather"}, 3),
    "langfuse/crewai-2025-07-11": (6, {MINI}, 190, 164, set(), 2),
    "langfuse/google-adk-2025-08-28": (5, {"gemini-2.0-flash"}, 67, 9, {"say_hello"}, 2),
    "langfuse/google-gemini-2025-08-01": (1, {"gemini-2.5-flash"}, 6, 2055, set(), 2),
    "langfuse/koog-2025-08-26": (11, {GPT4O}, 215, 125, {"ByeTool", "HelloTool"}, 0),
    "langfuse/langgraph-js-2025-10-30": (20, {"gpt-5-mini-2025-08-07"}, 321, 59, set(), 2),
    "langfuse/langgraph-python-2025-08-22": (9, {"gpt-4o-2024-08-06"}, 168, 66, set(), 2),
    "langfuse/llamaindex-2025-06-05": (2, {GPT4O}, 13, 81, set(), 0),
    "langfuse/microsoft-agent-2025-12-17": (4, {"gpt-5-mini"}, 337, 286, {"get_weather"}, 3),
    "langfuse/openai-agents-2025-09-30": (5, {"gpt-4.1-2025-04-14"}, 140, 44, {"get_weather"}, 2),
    # The agent's span repeats what its one call used.
    "langfuse/pydantic-ai-tools-2025-06-06": (3, {GPT4O}, 62, 192, set(), 0),
    "langfuse/pydantic-ai-tools-2025-12-04": (12, {MINI}, 2630, 418, JOKES, 0),
    "langfuse/vertex-ai-2025-08-01": (1, {VERTEX}, 5, 845, set(), 2),
    "openinference/ai-embed": (1, {"text-embedding-3-small"}, 10, None, set(), 0),
    "openinference/ai-generateObject": (1, {MINI}, 63, 156, set(), 0),
    "openinference/ai-streamText-doStream": (1, {MINI}, 15, 112, set(), 0),
    "openinference/spans-by-operation": (10, {MINI, "text-embedding-3-small"}, 304, 594, set(), 0),
}


def total(rows: list[dict], column: str) -> int | None:
    counts = [row[column] for row in rows if row[column] is not None]
    return sum(counts) if counts else None


@pytest.mark.parametrize("name", BY_HAND)
def test_a_frameworks_trace_yields_what_it_says(place, otlp_rows, shared_data: Path, name: str) -> None:
    (file,) = (shared_data / "framework_traces").glob(f"{name}*.json")
    done = ingest(file, place.inbox)
    landed = place.land()
    assert done.skipped == {}
    assert [one.set_aside for one in done.translated.values()] == [0]
    assert (landed.rejected, landed.spans_set_aside, landed.duplicates) == (0, 0, 0)
    rows = otlp_rows(place, landed.days)
    spans, models, given, answered, tools, scores = BY_HAND[name]
    assert (len(rows), landed.spans, landed.feedback) == (spans, spans, scores)
    assert {row["request_model"] or row["response_model"] for row in rows} - {None} == models
    assert (total(rows, "input_tokens"), total(rows, "output_tokens")) == (given, answered)
    assert {row["tool_name"] for row in rows} - {None} == tools
    assert all(row["operation"] for row in rows)


def test_every_file_of_the_recording_is_expected(shared_data: Path) -> None:
    folder = shared_data / "framework_traces"
    files = {str(path.relative_to(folder)).split(".")[0] for path in folder.rglob("*.json")}
    assert files >= set(BY_HAND)


def test_thoughts_and_cache_are_parts_beside_the_rest(place, otlp_rows, shared_data: Path) -> None:
    """The files' totals say how each provider counts: thoughts among the output, or beside it."""
    expected = {"google-gemini-2025-08-01": [(6, 951, 1104)], "langgraph-js-2025-10-30": [(142, 24, 0), (179, 35, 64)]}
    found = {}
    for name in expected:
        ingest(shared_data / f"framework_traces/langfuse/{name}.trace.json", place.inbox)
        landed = place.land()
        rows = otlp_rows(place, landed.days)
        found[name] = sorted(
            (row["fresh_input_tokens"], row["plain_output_tokens"], row["reasoning_tokens"])
            for row in rows
            if row["operation"] == "llm"
        )
    assert found == expected
