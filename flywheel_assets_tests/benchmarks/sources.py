"""Spans or events per second through each way in, up to what lies in the inbox: `python -m …benchmarks.sources`."""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flywheel_assets.sources.cursor import collect
from flywheel_assets.sources.event_spool import EventSpool
from flywheel_assets.sources.ingest import ingest
from flywheel_assets.sources.spool import Spool
from flywheel_assets.sources.system_bus import convert
from flywheel_assets.sources.typesense import Typesense
from flywheel_assets_tests.snapshots.typesense_standin import KEY, serving

AT = 1_783_605_600_000
CHUNK = 20_000
# Events, seconds by the clock, seconds of the processor.
Measured = tuple[int, float, float]


def event(number: int) -> dict[str, Any]:
    """Every fifth of a request's five events; none equal to another."""
    words = ("request", "route", "fallback", "result", "usage_missing")
    metadata = {"requestId": f"r{number // 5}", "model": "provider/model", "provider": "provider", "attemptIndex": 0}
    usage = {"usage": {"inputTokens": number, "outputTokens": 5, "costTotal": 0.01}, "task": "digest"}
    return {
        "id": f"id-{number}",
        "timestamp": AT + number * 20,
        "sessionId": "unknown",
        "systemId": "host",
        "level": "info",
        "source": "system-bus",
        "component": "digest",
        "action": f"model_router.{words[number % 5]}",
        "success": True,
        "metadata": metadata | usage,
    }


def stored(number: int) -> dict[str, Any]:
    """The event as the search collection holds it."""
    one = event(number)
    return one | {"metadata_json": json.dumps(one.pop("metadata")), "search_text": ""}


def timed(count: int, work: Callable[[], object]) -> Measured:
    started, spent = time.perf_counter(), time.process_time()
    work()
    return count, time.perf_counter() - started, time.process_time() - spent


def conversion(count: int, _: Path) -> Measured:
    documents = [event(number) for number in range(count)]
    return timed(count, lambda: [convert(documents[at : at + CHUNK]) for at in range(0, count, CHUNK)])


def storm(count: int, _: Path) -> Measured:
    noise = {"component": "redis", "action": "redis.error", "success": False, "error": "refused", "metadata": {}}
    documents = [event(number) | noise for number in range(count)]
    return timed(count, lambda: [convert(documents[at : at + CHUNK]) for at in range(0, count, CHUNK)])


def posted(count: int, root: Path) -> Measured:
    waiting = EventSpool(root / "events", root / "kept")
    spool = Spool(waiting.folder)
    for done in [spool.submit(json.dumps(event(number)).encode(), "json", "system_bus") for number in range(count)]:
        done.result()
    spool.close()
    return timed(count, lambda: collect(waiting, root / "inbox", root / "cursors"))


def exported(count: int, root: Path) -> Measured:
    path = root / "export.jsonl"
    path.write_text("".join(json.dumps(stored(number)) + "\n" for number in range(count)))
    return timed(count, lambda: ingest(path, root / "inbox"))


def typesense(count: int, root: Path) -> Measured:
    with serving() as standin:
        standin.collections["otel_events"] = {"name": "otel_events", "fields": []}
        standin.documents["otel_events"] = {f"id-{number}": stored(number) for number in range(count)}
        poller = Typesense(standin.url, KEY)
        return timed(count, lambda: collect(poller, root / "inbox", root / "cursors"))


WAYS: dict[str, Callable[[int, Path], Measured]] = {
    "system-bus events, converted": conversion,
    "a storm of equal events, converted": storm,
    "posted events, spool to inbox": posted,
    "exported events, file to inbox": exported,
    "Typesense stand-in, back-fill to inbox": typesense,
}


def measured(count: int) -> Iterator[tuple[str, float, float]]:
    for name, way in WAYS.items():
        with tempfile.TemporaryDirectory() as root:
            events, seconds, spent = way(count, Path(root))
        yield name, events / seconds, events / spent


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    print(f"{'way in':<42} {'events/s':>10} {'per CPU s':>10}")
    for told, speed, net in measured(parser.parse_args().events):
        print(f"{told:<42} {speed:>10,.0f} {net:>10,.0f}")
