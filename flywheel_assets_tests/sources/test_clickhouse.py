"""The bus's warehouse read through the official client, by real SQL on the real engine."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from flywheel_assets.sources.clickhouse import ClickHouse
from flywheel_assets.sources.cursor import Page, SourceUnavailableError

pytest.importorskip("chdb", reason="needs the embedded engine: install flywheel-assets[test]")
pytest.importorskip("clickhouse_connect", reason="install flywheel-assets[clickhouse]")

COLUMNS = """
    (id String, timestamp DateTime64(3,'UTC'), date Date DEFAULT toDate(timestamp), sessionId Nullable(String),
    systemId Nullable(String), level LowCardinality(String), source LowCardinality(String),
    component LowCardinality(String), action String, success UInt8, duration_ms Nullable(UInt32), error String,
    metadata_json String, metadata_keys Array(String), search_text String,
    received_at DateTime64(3,'UTC') DEFAULT now64(3))
"""
ENGINES = {
    "replacing": "ReplacingMergeTree(received_at) PARTITION BY toYYYYMM(timestamp) "
    "ORDER BY (id, timestamp, source, component, action)",
    "plain": "MergeTree PARTITION BY toYYYYMM(timestamp) ORDER BY (id, timestamp, source, component, action)",
}


class Face:
    """The engine behind its HTTP face, with a database for each test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.made = 0

    def run(self, sql: str, body: str = "") -> None:
        said = httpx.post(self.url, params={"query": sql}, content=body.encode())
        assert said.status_code == 200, said.text

    def table(self, engine: str) -> "Table":
        self.made += 1
        self.run(f"CREATE DATABASE d{self.made}")
        self.run(f"CREATE TABLE d{self.made}.otel_events {COLUMNS} ENGINE = {ENGINES[engine]}")
        return Table(self, f"d{self.made}")


class Table:
    """One table of events, and a reader of it."""

    def __init__(self, face: Face, database: str) -> None:
        self.face, self.database = face, database

    def put(self, *rows: dict[str, Any]) -> None:
        lines = "\n".join(map(json.dumps, rows))
        self.face.run(f"INSERT INTO {self.database}.otel_events FORMAT JSONEachRow", lines)

    def reader(self, **settings: Any) -> ClickHouse:
        given = {"late": timedelta(seconds=60)} | settings
        return ClickHouse(self.face.url, user="default", database=self.database, **given)


@pytest.fixture(scope="module")
def face(free_port: int) -> Iterator[Face]:
    command = [sys.executable, "-m", "flywheel_assets_tests.sources.clickhouse_face", str(free_port)]
    process = subprocess.Popen(command)
    url = f"http://127.0.0.1:{free_port}"
    try:
        until = time.monotonic() + 60
        while not _up(url):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        yield Face(url)
    finally:
        process.terminate()
        process.wait(20)


def _up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ping").status_code == 200
    except httpx.HTTPError:
        return False


def row(name: str, received: str = "12:00:00.000", **said: Any) -> dict[str, Any]:
    return {
        "id": name, "timestamp": "2026-07-09 11:59:00.250", "sessionId": "unknown", "systemId": "host",
        "level": "info", "source": "worker", "component": "digest", "action": "digest.ran", "success": 1,
        "duration_ms": None, "error": "", "metadata_json": json.dumps({"name": name}), "metadata_keys": ["name"],
        "search_text": name, "received_at": f"2026-07-09 {received}",
    } | said  # fmt: skip


def ids(pages: list[Page]) -> list[str]:
    spans = [
        span
        for page in pages
        if page.payload
        for resource in json.loads(page.payload)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    found = [{a["key"]: next(iter(a["value"].values())) for a in span["attributes"]} for span in spans]
    return [attributes["system_bus.id"] for attributes in found]


@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize("rows", [1, 7, 10_000])
def test_every_row_is_read_once_in_pages_of_any_size(face: Face, engine: str, rows: int):
    table = face.table(engine)
    # Many of one time of arrival: a page may end anywhere among them.
    table.put(*(row(f"e{number:03}", f"12:00:0{number // 15}.000") for number in range(45)))
    pages = list(table.reader(rows=rows).poll({}))
    assert ids(pages) == [f"e{number:03}" for number in range(45)]
    assert list(table.reader(rows=rows).poll(pages[-1].cursor)) == []


def test_copies_collapse_by_id_then_by_content_without_final(face: Face):
    table = face.table("plain")
    about = json.dumps({"eventId": "x"})
    table.put(row("a"), row("b", metadata_json=about))
    table.put(row("a", "12:00:00.500"), row("c", "12:00:01.000", metadata_json=about))
    assert ids(list(table.reader().poll({}))) == ["a", "b"]


def test_what_arrived_late_behind_the_cursor_is_found(face: Face):
    table = face.table("plain")
    table.put(row("a", "12:00:00.000"), row("b", "12:05:00.000"))
    first = list(table.reader().poll({}))
    table.put(row("late", "12:04:30.000"), row("same", "12:05:00.000"), row("new", "12:06:00.000"))
    second = list(table.reader().poll(first[-1].cursor))
    assert ids(second) == ["late", "same", "new"]
    assert list(table.reader().poll(second[-1].cursor)) == []


def test_a_row_is_the_same_event_as_the_body_that_was_posted(face: Face):
    table = face.table("plain")
    table.put(row("a", duration_ms=40, success=0, level="error", error="timeout"))
    (page,) = table.reader().poll({})
    ((span,),) = [scope["spans"] for scope in json.loads(page.payload)["resourceSpans"][0]["scopeSpans"]]
    ends = 1_783_598_340_250
    assert (span["startTimeUnixNano"], span["endTimeUnixNano"]) == (f"{ends - 40}000000", f"{ends}000000")
    assert span["status"] == {"code": 2, "message": "timeout"}


def test_rows_without_an_id_are_told_apart_by_what_they_say(face: Face):
    table = face.table("plain")
    table.put(row("", metadata_json='{"n": 1}'), row("", metadata_json='{"n": 2}'))
    pages = list(table.reader().poll({}))
    assert len(set(ids(pages))) == 2
    assert list(table.reader().poll(pages[-1].cursor)) == []


def test_no_rows_are_no_pages(face: Face):
    assert list(face.table("plain").reader().poll({})) == []


def test_what_the_server_refuses_is_told_with_what_to_look_at(face: Face):
    with pytest.raises(SourceUnavailableError, match="nowhere"):
        list(ClickHouse(face.url, database="nowhere").poll({}))
    with pytest.raises(SourceUnavailableError, match="CLICKHOUSE_URL"):
        list(ClickHouse("http://127.0.0.1:9").poll({}))
