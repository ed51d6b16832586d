"""Spans or events per second through each way in, up to what lies durably in the inbox.

    python -m flywheel_assets_tests.benchmarks.sources --markdown > docs/sources.md

The receiver and ClickHouse's engine run in processes of their own; their processor time is not counted.
"""

import argparse
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx

from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.sources.clickhouse import ClickHouse
from flywheel_assets.sources.cursor import collect
from flywheel_assets.sources.event_spool import EventSpool
from flywheel_assets.sources.ingest import ingest
from flywheel_assets.sources.land import land
from flywheel_assets.sources.spool import Spool
from flywheel_assets.sources.system_bus import convert
from flywheel_assets.sources.typesense import Typesense
from flywheel_assets_tests.benchmarks.decode import batches
from flywheel_assets_tests.benchmarks.generate import write
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


@contextmanager
def serving_process(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A server of its own, ended at the end."""
    process = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def payloads(spans: int, root: Path) -> tuple[int, list[bytes]]:
    """Export requests in protobuf."""
    written = write(spans, 1, root / "generated", "protobuf")
    return written, [wire.payload for wire in batches(root / "generated")]


def otlp_http(count: int, root: Path) -> Measured:
    spans, bodies = payloads(count, root)
    command = ("receive", "--http-port", "0", "--grpc-port", "0", "--json", "--data", str(root / "data"))
    with serving_process("flywheel_assets.cli", *command) as process, httpx.Client() as client:
        address = json.loads(process.stdout.readline())["result"]["http"]
        headers = {"content-type": "application/x-protobuf"}

        def send(body: bytes) -> None:
            client.post(f"{address}/v1/traces", content=body, headers=headers).raise_for_status()

        with ThreadPoolExecutor(4) as senders:
            return timed(spans, lambda: list(senders.map(send, bodies)))


def otlp_grpc(count: int, root: Path) -> Measured:
    spans, bodies = payloads(count, root)
    command = ("receive", "--http-port", "0", "--grpc-port", "0", "--json", "--data", str(root / "data"))
    with serving_process("flywheel_assets.cli", *command) as process:
        address = json.loads(process.stdout.readline())["result"]["grpc"]
        with grpc.insecure_channel(address.removeprefix("http://")) as channel, ThreadPoolExecutor(4) as senders:
            send = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
            return timed(spans, lambda: list(senders.map(send, bodies)))


def collector(count: int, root: Path) -> Measured:
    spans, _ = payloads(count, root)
    places = Places(root / "data")

    def bring() -> None:
        ingest(root / "generated", places.inbox)
        land(Lake(places.lake), places.inbox, places.landing, datetime.now(UTC))

    return timed(spans, bring)


def sessions(count: int, root: Path) -> Measured:
    """Coding agents' sessions: a turn of a question, a call and its answer is three spans or so."""
    file = root / "session.jsonl"
    lines: list[dict[str, Any]] = []
    for turn in range(count // 3):
        at = datetime.fromtimestamp(AT / 1000 + turn * 9, UTC)
        for step, (kind, content) in enumerate(turn_of(turn)):
            message = {"role": kind, "content": content, "id": f"m{turn}-{step}", "model": "model-x", "usage": USAGE}
            stamp = f"{at + timedelta(seconds=step):%Y-%m-%dT%H:%M:%S.000Z}"
            names = {"uuid": f"u{turn}-{step}", "sessionId": f"s{turn // 20}", "version": "2.0.1"}
            lines.append({"type": kind, "timestamp": stamp, "message": message, **names})
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return timed(count, lambda: ingest(file, root / "inbox"))


USAGE = {"input_tokens": 900, "output_tokens": 70}


def turn_of(number: int) -> list[tuple[str, object]]:
    call = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": f"make {number}"}}
    found = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "done " * 40}
    return [("user", f"please do {number}"), ("assistant", [call]), ("user", [found])]


def clickhouse(count: int, root: Path) -> Measured:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving_process("flywheel_assets_tests.sources.clickhouse_face", str(port)):
        url = f"http://127.0.0.1:{port}"
        _healthy(f"{url}/ping")
        columns = "id String, timestamp DateTime64(3,'UTC'), sessionId Nullable(String), systemId Nullable(String)"
        columns += ", level String, source String, component String, action String, success UInt8"
        columns += ", duration_ms Nullable(UInt32), error String, metadata_json String, metadata_keys Array(String)"
        columns += ", search_text String, received_at DateTime64(3,'UTC')"
        for sql in ("CREATE DATABASE bus", f"CREATE TABLE bus.otel_events ({columns}) ENGINE = MergeTree ORDER BY id"):
            httpx.post(url, content=sql, timeout=60).raise_for_status()
        for start in range(0, count, CHUNK):
            rows = "\n".join(json.dumps(kept(number)) for number in range(start, min(start + CHUNK, count)))
            sql = {"query": "INSERT INTO bus.otel_events FORMAT JSONEachRow"}
            httpx.post(url, params=sql, content=rows, timeout=60).raise_for_status()
        poller = ClickHouse(url, user="default", database="bus")
        return timed(count, lambda: collect(poller, root / "inbox", root / "cursors"))


def kept(number: int) -> dict[str, Any]:
    """The event as the column store holds it."""
    one = stored(number) | {"success": 1, "error": "", "duration_ms": 5, "metadata_keys": ["requestId"]}
    at = datetime.fromtimestamp(one["timestamp"] / 1000, UTC)
    return one | dict.fromkeys(("timestamp", "received_at"), f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}")


def _healthy(address: str) -> None:
    for _ in range(300):
        with suppress(httpx.TransportError):
            if httpx.get(address).status_code == 200:
                return
        time.sleep(0.1)
    raise TimeoutError(address)


WAYS: dict[str, Callable[[int, Path], Measured]] = {
    "OTLP over HTTP, four senders, acknowledged": otlp_http,
    "OTLP over gRPC, four senders, acknowledged": otlp_grpc,
    "Collector files, ingested and indexed": collector,
    "coding agents' sessions, file to inbox": sessions,
    "ClickHouse's engine, back-fill to inbox": clickhouse,
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--markdown", action="store_true", help="as docs/sources.md has it")
    chosen = parser.parse_args()
    if chosen.markdown:
        print(
            f"# Ways in\n\nSpans or events per second up to what lies durably in the inbox, {chosen.events:,} of each."
        )
        print("Written by `python -m flywheel_assets_tests.benchmarks.sources --markdown`.\n")
        print("| way in | a second | per second of our processor time |\n|---|---:|---:|")
    else:
        print(f"{'way in':<42} {'a second':>10} {'per CPU s':>10}")
    for told, speed, net in measured(chosen.events):
        row = (
            f"| {told} | {speed:,.0f} | {net:,.0f} |"
            if chosen.markdown
            else f"{told:<42} {speed:>10,.0f} {net:>10,.0f}"
        )
        print(row, flush=True)
