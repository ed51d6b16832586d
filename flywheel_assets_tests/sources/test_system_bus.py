"""Events of a system bus as spans: one identity whichever way they come, storms one row, nothing made up."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_assets.sources.event_spool import EventSpool
from flywheel_assets.sources.ingest import ingest
from flywheel_assets.sources.json_request import parse_json_request
from flywheel_assets.sources.spool import Spool
from flywheel_assets.sources.system_bus import NO_TIME, NOT_AN_EVENT, Converted, convert

AT = 1_783_605_600_000


def event(number: int = 0, **said: Any) -> dict[str, Any]:
    plain = {
        "id": f"id-{number}",
        "timestamp": AT + number,
        "level": "info",
        "source": "worker",
        "component": "digest",
        "action": "digest.completed",
        "success": True,
        "metadata": {"number": number},
    }
    return plain | said


def storm(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        event(
            number,
            level="error",
            component="redis",
            action="redis.subscriber.error",
            success=False,
            error=f"connect ECONNREFUSED 127.0.0.1:{6000 + number}",
            timestamp=AT + number % 60_000,
            metadata={},
        )
        for number in range(first, first + count)
    ]


def spans(converted: Converted) -> list[Mapping[str, Any]]:
    request = json.loads(converted.payload or b"{}")
    return [
        span | {"attributes": {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}}
        for resource in request.get("resourceSpans", [])
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def only(document: object) -> Mapping[str, Any]:
    (span,) = spans(convert([document]))
    return span


def stored(document: dict[str, Any]) -> dict[str, Any]:
    """The same event as the search collection and the warehouse hold it."""
    text = json.dumps(document["metadata"])
    plain = {key: value for key, value in document.items() if key != "metadata"}
    return plain | {
        "metadata_json": text,
        "success": int(document["success"]),
        "error": document.get("error", ""),
        "duration_ms": document.get("duration_ms"),
    }


@pytest.mark.parametrize(
    "document",
    [
        event(),
        event(duration_ms=31, sessionId="s", systemId="host"),
        event(success=False, level="error", error="timeout", metadata={"requestId": "r"}),
    ],
    ids=["plain", "timed", "failed"],
)
def test_an_event_is_the_same_span_from_any_store_or_door(document: dict[str, Any]):
    outbox = {"event": document, "queuedAt": AT + 9}
    assert only(document) == only(stored(document)) == only(outbox)


@pytest.mark.parametrize(
    ("said", "column", "value"),
    [
        ({"sessionId": "unknown"}, "system_bus.session.id", None),
        ({"sessionId": "worker"}, "system_bus.session.id", None),
        ({"sessionId": "5b0f9a3e"}, "system_bus.session.id", "5b0f9a3e"),
        ({"success": False, "error": "operation_failed"}, "system_bus.error.type", None),
        ({"success": False, "error": "pi exited 1: out_of_quota"}, "system_bus.error.type", "out_of_quota"),
        ({"success": False, "error": "pi timed out after 5ms"}, "system_bus.error.type", "timeout"),
        ({"metadata": {"runId": "0190-not-a-ulid"}}, "system_bus.unit.id", None),
        ({"metadata": {"runId": "01K1AGENTTASK00000000000AA"}}, "system_bus.unit.id", "01K1AGENTTASK00000000000AA"),
        ({"action": "probe.emit", "metadata": {"taskId": "t"}}, "system_bus.unit.id", None),
        ({"action": "agent.task.completed", "metadata": {"taskId": "canary-7"}}, "system_bus.unit.id", None),
        ({"action": "agent.task.completed", "metadata": {"taskId": "t"}}, "system_bus.outcome", "ok"),
        ({"action": "agent.task.failed", "level": "warn", "metadata": {"taskId": "t"}},
            "system_bus.outcome", "cancelled"),
        ({"action": "agent.task.failed", "level": "error", "metadata": {"taskId": "t"}}, "system_bus.outcome", "error"),
        ({"action": "skill.read", "metadata": {"skill": "o11y"}}, "system_bus.skill", "o11y"),
        ({"metadata": {"skill": "o11y"}}, "system_bus.skill", None),
        ({"metadata": {"usage": {"inputTokens": 0}, "usageCaptured": False}}, "system_bus.usage.input_tokens", None),
        ({"metadata": {"usage": {"inputTokens": 5}}}, "system_bus.usage.input_tokens", "5"),
    ],
)  # fmt: skip
def test_what_an_event_says_and_what_it_does_not(said: dict[str, Any], column: str, value: str | None):
    assert only(event(**said))["attributes"].get(column) == value


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 1),
        ({"success": False, "level": "error", "error": "x"}, 2),
        ({"success": True, "level": "warn", "error": "classification output was not an object"}, 0),
        ({"success": False, "level": "info", "error": "operation_failed"}, 0),
        (
            {
                "action": "model_router.usage_missing",
                "success": False,
                "level": "warn",
                "metadata": {"requestId": "r", "attemptIndex": 0},
            },
            0,
        ),
    ],
    ids=["good", "bad", "fallback that worked", "a finding", "only the count is missing"],
)
def test_success_and_level_are_not_taken_at_their_word(said: dict[str, Any], status: int):
    assert only(event(**said))["status"]["code"] == status


@pytest.mark.parametrize(
    ("documents", "kept", "duplicates"),
    [
        ([event(1), event(1)], 1, 1),
        ([event(1), event(2, metadata={"number": 1})], 2, 0),
        ([event(1, metadata={"eventId": "e"}), event(2, metadata={"eventId": "e"})], 1, 1),
        ([event(1, metadata={"eventId": "e"}), event(2, metadata={"eventId": "f"})], 2, 0),
        ([event(1, metadata={"eventId": "e"}), event(2, metadata={"eventId": "e"}, error="x")], 2, 0),
    ],
    ids=["same id", "equal, about nothing", "replayed", "about others", "said something else"],
)
def test_copies_are_told_by_id_then_by_content(documents: list[dict[str, Any]], kept: int, duplicates: int):
    found = convert(documents)
    assert (found.spans, found.duplicates) == (kept, duplicates)
    # And across batches, where nothing is remembered: equal ids.
    apart = {span["spanId"] for document in documents for span in spans(convert([document]))}
    assert len(apart) == kept


def test_a_storm_among_real_events_is_a_row_a_minute_and_a_page():
    real = [event(10**6 + number, metadata={"requestId": str(number)}) for number in range(500)]
    found = convert([*storm(200_000), *real])
    (row,) = [span for span in spans(found) if "flywheel.storm.count" in span["attributes"]]
    assert (found.spans, found.storms, found.collapsed, found.duplicates) == (501, 1, 199_999, 0)
    assert row["attributes"]["flywheel.storm.count"] == "200000"
    assert (row["startTimeUnixNano"], row["endTimeUnixNano"]) == (f"{AT}000000", f"{AT + 59_999}000000")


def test_few_equal_events_stay_as_they_are_and_units_of_work_are_never_collapsed():
    work = [event(n, action="agent.task.failed", error="x", metadata={"taskId": f"t{n}"}) for n in range(50, 150)]
    found = convert([*storm(20), *work])
    assert (found.spans, found.storms, found.collapsed) == (120, 0, 0)


def test_a_storm_that_pages_cut_in_two_adds_up():
    counts = [
        int(span["attributes"]["flywheel.storm.count"])
        for part in (storm(300), storm(200, first=300))
        for span in spans(convert(part))
    ]
    names = {span["spanId"] for part in (storm(300), storm(200, first=300)) for span in spans(convert(part))}
    assert (counts, len(names)) == ([300, 200], 2)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, NOT_AN_EVENT),
        ("text", NOT_AN_EVENT),
        (event(action=""), NOT_AN_EVENT),
        (event(timestamp=None), NO_TIME),
        (event(timestamp="soon"), NO_TIME),
        (event(timestamp=float("nan")), NO_TIME),
    ],
    ids=["empty", "text", "no action", "none", "word", "nan"],
)
def test_what_cannot_be_placed_is_counted_and_kept(document: object, reason: str):
    found = convert([document, event(1)])
    assert found.set_aside == {reason: 1}
    assert len(spans(found)) + len(found.refused) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["id", "timestamp", "level", "source", "component", "action", "success", "error", "metadata",
                         "metadata_json", "duration_ms", "sessionId", "systemId", "queuedAt", "event"])  # fmt: skip


@given(st.lists(st.dictionaries(NAMES, JSON, max_size=9) | st.builds(event, st.integers(0, 3)), max_size=8))
def test_whatever_comes_is_accounted_for_and_the_request_parses(documents: list[dict[str, Any]]):
    found = convert(documents, storm=2)
    assert found.documents == found.spans + found.duplicates + found.collapsed + len(found.refused) == len(documents)
    assert len(parse_json_request(found.payload or b"{}")) == found.spans


def test_posted_events_are_read_once_as_they_grow_and_are_kept(tmp_path: Path):
    waiting = EventSpool(tmp_path / "events", tmp_path / "kept")
    spool = Spool(waiting.folder)
    spool.append(json.dumps(event(1)).encode(), "json", "system_bus")
    (first,) = waiting.poll({})
    assert ([span["name"] for span in spans(Converted(first.payload))], first.rows) == (["digest.completed"], 1)
    assert list(waiting.poll(first.cursor)) == []
    spool.append(json.dumps(event(2)).encode(), "json", "system_bus")
    spool.close()
    second, done = waiting.poll(first.cursor)
    assert (len(spans(Converted(second.payload))), done.payload, done.cursor) == (1, b"", {})
    assert list(waiting.folder.iterdir()) == []
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_a_killed_poll_reads_its_page_again_with_equal_bytes(tmp_path: Path):
    waiting = EventSpool(tmp_path / "events", tmp_path / "kept")
    spool = Spool(waiting.folder)
    spool.append(json.dumps(event(1)).encode(), "json", "system_bus")
    assert [page.payload for page in waiting.poll({})] == [page.payload for page in waiting.poll({})]
    spool.close()


def test_outbox_files_and_exports_come_in_through_ingest(tmp_path: Path):
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    for number in range(3):
        body = {"event": event(number), "queuedAt": AT}
        (outbox / f"{AT}-{number}.json").write_text(json.dumps(body))
    lines = [json.dumps(stored(event(number))) for number in range(3)] + ["{", json.dumps({"id": 1})]
    (outbox / "export.jsonl").write_text("\n".join(lines))
    done = ingest(outbox, tmp_path / "inbox")
    assert (done.skipped, done.files) == ({}, 4)
    assert done.translated[str(outbox / "export.jsonl")].set_aside == 2
