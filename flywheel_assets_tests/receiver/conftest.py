"""A receiver with both doors open on loopback, in a thread."""

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from flywheel_assets.receiver.desk.work import Queues
from flywheel_assets.receiver.serve import NO_QUEUES, Listening, serve
from flywheel_assets.receiver.settings import ReceiverSettings
from flywheel_assets.sources.framing import records
from flywheel_assets.sources.spool import Spool


@dataclass(frozen=True)
class Receiver:
    """Where it listens, and what it spooled."""

    at: Listening
    inbox: Path
    spools: list[Spool]

    def stored(self, suffix: str = ".binpb") -> list[bytes]:
        return stored(self.inbox, suffix)


def stored(inbox: Path, suffix: str) -> list[bytes]:
    kind = "frames" if suffix == ".binpb" else "lines"
    found: list[bytes] = []
    for path in sorted(inbox.glob("[!.]*")):
        if "".join(path.suffixes) == suffix:
            data = path.read_bytes()
            found += [data[offset : offset + length] for offset, length in records(data, kind, 0, 10**7).ranges]
    return found


@contextmanager
def started(settings: ReceiverSettings, queues: Queues = NO_QUEUES) -> Generator[Receiver]:
    listening: list[Listening] = []
    spools: list[Spool] = []
    opened, stop = threading.Event(), asyncio.Event()

    def ready(at: Listening) -> None:
        listening.append(at)
        opened.set()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(settings, ready, stop, queues)))
    thread.start()
    assert opened.wait(20)
    try:
        yield Receiver(listening[0], settings.inbox, spools)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


@pytest.fixture
def start(tmp_path: Path) -> Generator[Callable[..., Receiver]]:
    running: list[object] = []

    def start(queues: Queues = NO_QUEUES, **settings: object) -> Receiver:
        given = {"inbox": tmp_path / "inbox", "http_port": 0, "grpc_port": 0} | settings
        one = started(ReceiverSettings.model_validate(given), queues)
        running.append(one)
        return one.__enter__()

    yield start
    for one in running:
        one.__exit__(None, None, None)


@pytest.fixture(scope="session")
def request_of() -> Callable[..., bytes]:
    def request_of(number: int = 0, spans: int = 1, size: int = 10) -> bytes:
        request = ExportTraceServiceRequest()
        scope = request.resource_spans.add().scope_spans.add()
        for position in range(spans):
            span = scope.spans.add(
                trace_id=(number + 1).to_bytes(16, "big"),
                span_id=(position + 1).to_bytes(8, "big"),
                start_time_unix_nano=1_795_000_000_000_000_000,
                name="chat",
            )
            span.attributes.add(key="text").value.string_value = "x" * size
        return request.SerializeToString()

    return request_of
