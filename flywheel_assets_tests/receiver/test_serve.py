"""The receiver as a whole: real exporters, shutting down, being killed, and where it may listen."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic import ValidationError

from flywheel_assets.lake.lake import Lake
from flywheel_assets.receiver.settings import ReceiverSettings
from flywheel_assets.sources.batches import read_batches
from flywheel_assets.sources.framing import records
from flywheel_assets.sources.land import Landed, land

PROTOBUF = {"content-type": "application/x-protobuf"}


def names(batches: list[bytes]) -> list[str]:
    return sorted(
        span.name
        for batch in batches
        for resource in ExportTraceServiceRequest.FromString(batch).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    )


@pytest.mark.parametrize("door", ["http", "grpc"])
def test_the_sdks_own_exporters_get_through_with_gzip_and_a_token(start, door: str) -> None:
    receiver = start(token="secret")
    headers = {"authorization": "Bearer secret"}
    if door == "http":
        from opentelemetry.exporter.otlp.proto.http import Compression

        exporter = HttpExporter(f"{receiver.at.http}/v1/traces", headers=headers, compression=Compression.Gzip)
    else:
        from grpc import Compression

        exporter = GrpcExporter(receiver.at.grpc, insecure=True, headers=headers, compression=Compression.Gzip)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    for number in range(1000):
        tracer.start_span(f"span {number}").end()
    assert provider.force_flush()
    provider.shutdown()
    assert names(receiver.stored()) == sorted(f"span {number}" for number in range(1000))


CHILD = """
import sys, pathlib
from flywheel_assets.receiver.serve import run
from flywheel_assets.receiver.settings import ReceiverSettings
settings = ReceiverSettings(inbox=pathlib.Path(sys.argv[1]), http_port=0, grpc_port=0, segment_bytes=20_000)
run(settings, lambda at: print(at.http_port, at.grpc_port, flush=True))
print("stopped", flush=True)
"""


def child_receiver(inbox: Path) -> tuple[subprocess.Popen[str], str, int]:
    child = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD, str(inbox)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    http_port, grpc_port = child.stdout.readline().split()
    return child, f"http://127.0.0.1:{http_port}/v1/traces", int(grpc_port)


def load(url: str, grpc_port: int, request_of, until: threading.Event) -> list[bytes]:
    """Send from several threads through both doors until told or refused; what was acknowledged."""
    import grpc

    numbers = itertools.count()
    acknowledged: list[bytes] = []
    method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

    def by_http() -> None:
        with httpx.Client() as client:
            while not until.is_set():
                payload = request_of(next(numbers))
                try:
                    response = client.post(url, content=payload, headers=PROTOBUF)
                except httpx.HTTPError:
                    return
                if response.status_code == 200:
                    acknowledged.append(payload)

    def by_grpc() -> None:
        with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
            call = channel.unary_unary(method)
            while not until.is_set():
                payload = request_of(next(numbers))
                try:
                    call(payload, timeout=5)
                except grpc.RpcError:
                    return
                acknowledged.append(payload)

    with ThreadPoolExecutor(6) as pool:
        for send in (by_http, by_grpc) * 3:
            pool.submit(send)
    return acknowledged


def spooled(inbox: Path) -> list[bytes]:
    found: list[bytes] = []
    for path in inbox.glob("[!.]*.binpb"):
        data = path.read_bytes()
        found += [data[offset : offset + length] for offset, length in records(data, "frames", 0, 10**7).ranges]
    return found


@pytest.mark.parametrize(
    ("number", "seconds"), [(signal.SIGKILL, 0.4), (signal.SIGKILL, 1.0), (signal.SIGTERM, 0.7), (signal.SIGINT, 0.7)]
)
def test_every_acknowledged_batch_is_in_the_inbox_however_the_receiver_ends(
    tmp_path: Path, request_of, number: int, seconds: float
) -> None:
    child, url, grpc_port = child_receiver(tmp_path)
    until = threading.Event()
    timer = threading.Timer(seconds, lambda: os.kill(child.pid, number))
    timer.start()
    acknowledged = load(url, grpc_port, request_of, until)
    out, err = child.communicate(timeout=20)
    timer.join()
    stored = spooled(tmp_path)
    assert len(acknowledged) > 20
    assert set(acknowledged) <= set(stored)
    if number != signal.SIGKILL:
        assert (child.returncode, out.strip(), err) == (0, "stopped", "")
        assert len(stored) == len(set(stored))


def test_landing_beside_a_receiver_that_is_killed_gives_each_batch_once(tmp_path: Path, request_of) -> None:
    lake, inbox, landing = Lake(str(tmp_path / "lake")), tmp_path / "inbox", tmp_path / "landing"
    child, url, grpc_port = child_receiver(inbox)
    acknowledged: list[bytes] = []
    sender = threading.Thread(target=lambda: acknowledged.extend(load(url, grpc_port, request_of, threading.Event())))
    sender.start()
    landed: list[Landed] = []
    while sum(one.accepted > 0 for one in landed) < 3 and len(landed) < 10_000:
        landed.append(land(lake, inbox, landing, datetime.now(UTC)))
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    sender.join()
    landed.append(land(lake, inbox, landing, datetime.now(UTC)))
    kept = [batch.payload for batch in read_batches(lake, landing, date(2026, 11, 18))]
    assert len(kept) == len(set(kept)) == sum(one.accepted for one in landed)
    assert set(acknowledged) <= set(kept)
    assert sum(one.accepted > 0 for one in landed) >= 3
    assert not list(inbox.glob("[!.]*"))


def test_shutting_down_finishes_the_requests_in_hand(tmp_path: Path, request_of) -> None:
    child, url, _ = child_receiver(tmp_path)
    payload = request_of()
    host, port = url.split("/")[2].split(":")
    with socket.create_connection((host, int(port))) as slow:
        head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n"
        head += f"content-length: {len(payload)}\r\n\r\n"
        slow.sendall(head.encode() + payload[:5])
        threading.Event().wait(0.2)
        os.kill(child.pid, signal.SIGTERM)
        threading.Event().wait(0.3)
        assert child.poll() is None
        slow.sendall(payload[5:])
        assert b"200 OK" in slow.recv(1000)
    out, _ = child.communicate(timeout=20)
    assert (child.returncode, out.strip()) == (0, "stopped")
    assert spooled(tmp_path) == [payload]


@pytest.mark.parametrize(
    ("host", "token", "word"),
    [
        ("127.0.0.1", None, None),
        ("localhost", None, None),
        ("::1", None, None),
        ("0.0.0.0", "secret", None),
        ("0.0.0.0", None, "set a token"),
        ("::", None, "set a token"),
        ("receiver.example", None, "set a token"),
        ("127.0.0.1", "", "token is empty"),
    ],
)
def test_without_a_token_only_loopback_may_be_bound(
    tmp_path: Path, host: str, token: str | None, word: str | None
) -> None:
    given = {"inbox": tmp_path, "host": host, "token": token}
    if word is None:
        assert ReceiverSettings.model_validate(given).host == host
    else:
        with pytest.raises(ValidationError, match=word):
            ReceiverSettings.model_validate(given)


@pytest.mark.parametrize("door", ["http_port", "grpc_port"])
def test_a_taken_port_is_an_error_that_says_what_to_do(tmp_path: Path, door: str) -> None:
    import asyncio

    from flywheel_assets.receiver.serve import PortTakenError, serve

    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = {"http_port": 0, "grpc_port": 0} | {door: other.getsockname()[1]}
        with pytest.raises(PortTakenError, match=door):
            asyncio.run(serve(ReceiverSettings(inbox=tmp_path, **ports)))


def test_ipv6_loopback_works(start, request_of) -> None:
    receiver = start(host="::1")
    assert httpx.post(f"{receiver.at.http}/v1/traces", content=request_of(), headers=PROTOBUF).status_code == 200
