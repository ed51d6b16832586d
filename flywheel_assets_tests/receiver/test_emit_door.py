"""The system bus's own way in: token, body and answers as its workers know them, durable before the answer."""

import json

import httpx
import pytest

from flywheel_assets_tests.receiver.conftest import stored

EVENT = {
    "id": "e-1",
    "timestamp": 1_783_605_600_000,
    "sessionId": "unknown",
    "systemId": "host",
    "level": "info",
    "source": "worker",
    "component": "digest",
    "action": "digest.completed",
    "success": True,
    "metadata": {"n": 1},
}
TOKEN = {"x-otel-emit-token": "right"}


def test_an_event_is_on_disk_before_it_is_acknowledged(start):
    receiver = start(emit_token="right")
    answer = httpx.post(f"{receiver.at.http}/observability/emit", json=EVENT, headers=TOKEN)
    kept = stored(receiver.inbox.parent / "events", ".jsonl")
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "result": {"stored": True, "eventId": "e-1"}})
    assert [json.loads(line) for line in kept] == [EVENT]


@pytest.mark.parametrize(
    ("headers", "settings", "status"),
    [
        ({}, {"emit_token": "right"}, 401),
        ({"x-otel-emit-token": "wrong"}, {"emit_token": "right"}, 401),
        ({"authorization": "Bearer door"}, {"emit_token": "right", "token": "door"}, 401),
        (TOKEN, {"emit_token": "right", "token": "door"}, 200),
        ({}, {"token": "door"}, 401),
        ({"authorization": "Bearer door"}, {"token": "door"}, 200),
        ({}, {}, 200),
    ],
    ids=["none", "wrong", "bearer only", "right", "no bearer", "bearer", "loopback"],
)
def test_who_may_post_events(start, headers: dict[str, str], settings: dict[str, str], status: int):
    receiver = start(**settings)
    answer = httpx.post(f"{receiver.at.http}/observability/emit", json=EVENT, headers=headers)
    assert answer.status_code == status
    assert len(stored(receiver.inbox.parent / "events", ".jsonl")) == (status == 200)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        json.dumps([EVENT]).encode(),
        json.dumps({**EVENT, "action": ""}).encode(),
        json.dumps({**EVENT, "timestamp": "now"}).encode(),
        json.dumps({**EVENT, "timestamp": True}).encode(),
        b"[" * 100_000,
    ],
    ids=["empty", "cut", "array", "not utf-8", "several", "no action", "no time", "flag for time", "deep"],
)
def test_what_is_no_event_is_refused_and_the_door_stays_open(start, body: bytes):
    receiver = start()
    url = f"{receiver.at.http}/observability/emit"
    refused = httpx.post(url, content=body)
    assert (refused.status_code, refused.json()["error"]) == (400, "Invalid payload")
    assert httpx.post(url, json=EVENT).status_code == 200


def test_an_event_beyond_a_megabyte_is_refused(start):
    receiver = start()
    answer = httpx.post(f"{receiver.at.http}/observability/emit", json={**EVENT, "metadata": {"x": "x" * 2**20}})
    assert answer.status_code == 413


def test_a_full_disk_is_answered_with_a_word_to_come_again(start):
    receiver = start(backlog_bytes=1)
    answer = httpx.post(f"{receiver.at.http}/observability/emit", json=EVENT)
    assert (answer.status_code, answer.json()["ok"], answer.headers["retry-after"]) == (503, False, "1")
