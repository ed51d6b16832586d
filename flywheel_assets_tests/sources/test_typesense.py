"""A collection of events read through the official client: nothing skipped, nothing twice, whatever moves."""

import json
import os
import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flywheel_assets.sources.cursor import Page, SourceUnavailableError
from flywheel_assets.sources.typesense import Typesense
from flywheel_assets_tests.snapshots.typesense_standin import KEY, Standin, serving

AT = 1_783_605_600_000
NOW = datetime.fromtimestamp(AT / 1000, UTC) + timedelta(hours=1)
SCHEMA = {
    "name": "otel_events",
    "default_sorting_field": "timestamp",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "timestamp", "type": "int64"},
        *({"name": name, "type": "string", "facet": True} for name in ("level", "source", "component", "action")),
        {"name": "success", "type": "bool", "facet": True},
        {"name": "metadata_json", "type": "string", "optional": True},
        {"name": "search_text", "type": "string"},
    ],
}
Put = Callable[..., None]


def document(name: str, at: int) -> dict[str, Any]:
    return {
        "id": name, "timestamp": at, "level": "info", "source": "worker", "component": "digest", "action": "digest.ran",
        "success": True, "metadata_json": json.dumps({"name": name}), "search_text": "x",
    }  # fmt: skip


@pytest.fixture
def standin() -> Iterator[Standin]:
    with serving() as started:
        started.collections["otel_events"] = SCHEMA
        started.documents["otel_events"] = {}
        yield started


@pytest.fixture
def put(standin: Standin) -> Put:
    def put(*documents: dict[str, Any]) -> None:
        standin.documents["otel_events"] |= {one["id"]: one for one in documents}

    return put


def reader(standin: Standin, **settings: Any) -> Typesense:
    return Typesense(standin.url, KEY, **{"late": timedelta(minutes=1), "now": lambda: NOW} | settings)


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


@pytest.mark.parametrize(
    ("count", "apart_ms", "settings"),
    [
        (10, 7, {}),
        (700, 0, {}),
        (700, 0, {"pages_at_most": 0}),
        (700, 3, {"pages_at_most": 0, "export_at_once": 50}),
        (120, 1, {"pages_at_most": 0, "export_at_once": 1}),
        (60, 0, {"pages_at_most": 0, "export_at_once": 1}),
    ],
    ids=["few", "one time, pages", "one time, export", "windows", "windows of one", "one time cannot be parted"],
)
def test_every_event_is_read_once_however_many_share_a_time(
    standin: Standin, put: Put, count: int, apart_ms: int, settings: dict[str, int]
):
    # The stand-in would call so many equal events a storm, so each says something of its own.
    put(*(document(f"e{number}", AT + number * apart_ms) for number in range(count)))
    poller = reader(standin, **settings)
    pages = list(poller.poll({}))
    assert sorted(ids(pages)) == sorted(f"e{number}" for number in range(count))
    assert list(poller.poll(pages[-1].cursor)) == []


def test_what_comes_late_into_the_window_is_found_and_the_rest_not_again(standin: Standin, put: Put):
    put(document("a", AT), document("b", AT + 90_000))
    poller = reader(standin)
    first = list(poller.poll({}))
    put(document("late", AT + 40_000), document("same time", AT + 90_000), document("new", AT + 95_000))
    second = list(poller.poll(first[-1].cursor))
    assert ids(second) == ["late", "same time", "new"]
    assert list(poller.poll(second[-1].cursor)) == []


def test_a_clock_that_runs_ahead_hides_nobody_elses_events(standin: Standin, put: Put):
    ahead = AT + 400 * 86_400_000
    put(document("a", AT), document("ahead", ahead))
    poller = reader(standin)
    first = list(poller.poll({}))
    put(document("b", AT + 60 * 60_000 + 1000))
    assert sorted(ids(first)) == ["a", "ahead"]
    assert ids(list(poller.poll(first[-1].cursor))) == ["b"]


def test_a_killed_poll_goes_on_behind_its_last_page(standin: Standin, put: Put):
    put(*(document(f"e{number}", AT + number) for number in range(300)))
    poller = reader(standin, export_at_once=100, pages_at_most=0)
    whole = list(poller.poll({}))
    for number, page in enumerate(whole):
        assert sorted(ids(list(poller.poll(page.cursor)))) == sorted(ids(whole[number + 1 :]))


def test_an_empty_collection_and_a_missing_one(standin: Standin):
    assert list(reader(standin).poll({})) == []
    with pytest.raises(SourceUnavailableError, match="TYPESENSE_URL"):
        list(reader(standin, collection="nowhere").poll({}))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9"])
def test_a_server_that_is_not_there_is_named(url: str):
    with pytest.raises(SourceUnavailableError, match=url):
        list(Typesense(url, KEY).poll({}))


def test_the_key_is_never_shown(standin: Standin):
    assert "secret" not in repr(Typesense(standin.url, "secret"))


@pytest.mark.skipif("TYPESENSE_URL" not in os.environ, reason="needs a server: set TYPESENSE_URL and TYPESENSE_API_KEY")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_real_server_is_read_without_a_gap():
    url, key, name = os.environ["TYPESENSE_URL"], os.environ["TYPESENSE_API_KEY"], f"flywheel_{uuid.uuid4().hex}"
    poller = Typesense(url, key, collection=name, late=timedelta(minutes=1), now=lambda: NOW, pages_at_most=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client: Any = poller._client()
    client.collections.create({**SCHEMA, "name": name})
    try:
        sent = [document(f"e{number}", AT + number // 300) for number in range(1000)]
        client.collections[name].documents.import_("\n".join(map(json.dumps, sent)), {"action": "upsert"})
        pages = list(poller.poll({}))
        assert sorted(ids(pages)) == sorted(one["id"] for one in sent)
        assert list(poller.poll(pages[-1].cursor)) == []
    finally:
        client.collections[name].delete()
