"""Start both doors on one spool, and stop them without losing what they acknowledged."""

import asyncio
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import uvicorn
from starlette.applications import Starlette

from flywheel_assets.receiver.desk.work import Queues
from flywheel_assets.receiver.door import Door
from flywheel_assets.receiver.grpc_door import grpc_server
from flywheel_assets.receiver.http_door import application
from flywheel_assets.receiver.settings import ReceiverSettings
from flywheel_assets.sources.spool import Spool

NO_QUEUES: Queues = {}


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the receiver can be reached."""

    host: str
    http_port: int
    grpc_port: int

    @property
    def http(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT is set to for http/protobuf and http/json."""
        return f"http://{_in_url(self.host)}:{self.http_port}"

    @property
    def grpc(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT is set to for grpc."""
        return f"http://{_in_url(self.host)}:{self.grpc_port}"


class PortTakenError(Exception):
    """A door cannot be opened at its address."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.opened = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell when requests are taken."""
        await super().startup(sockets)
        self.opened.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to whoever runs the receiver."""
        yield


async def serve(
    settings: ReceiverSettings,
    ready: Callable[[Listening], None] = lambda _: None,
    stop: asyncio.Event | None = None,
    queues: Queues = NO_QUEUES,
) -> None:
    """Receive until `stop` is set or the task is cancelled; `ready` is called once both doors are open.

    `queues` are what people find on the desk; without any, there is none.
    On the way out requests in hand are finished and the spool is stored. Raises PortTakenError.
    """
    stop = stop or asyncio.Event()
    listener = _listen(settings)
    spool, events = _spool(settings, settings.inbox), _spool(settings, settings.events)
    door = Door(settings, spool, events)
    rpc = grpc_server(door)
    try:
        grpc_port = _open_grpc(rpc, settings)
        rpc.start()
        http = _Server(_uvicorn_config(application(door, queues), settings))
        running = asyncio.create_task(http.serve(sockets=[listener]))
        await _first(running, http.opened)
        ready(Listening(settings.host, listener.getsockname()[1], grpc_port))
        try:
            await _first(running, stop)
        finally:
            http.should_exit = True
            await asyncio.shield(running)
    finally:
        listener.close()
        # Both block: no other task of this loop matters any more.
        rpc.stop(settings.shutdown_seconds).wait()
        spool.close()
        events.close()


def run(
    settings: ReceiverSettings, ready: Callable[[Listening], None] = lambda _: None, queues: Queues = NO_QUEUES
) -> None:
    """Receive until SIGINT or SIGTERM. For a process of its own: call from its main thread."""

    async def until_signalled() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await serve(settings, ready, stop, queues)

    asyncio.run(until_signalled())


def _spool(settings: ReceiverSettings, folder: Path) -> Spool:
    return Spool(
        folder,
        segment_bytes=settings.segment_bytes,
        segment_seconds=settings.segment_seconds,
        backlog_bytes=settings.backlog_bytes,
    )


def _uvicorn_config(served: Starlette, settings: ReceiverSettings) -> uvicorn.Config:
    return uvicorn.Config(
        served,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=int(settings.shutdown_seconds) or 1,
    )


async def _first(running: "asyncio.Task[None]", stop: asyncio.Event) -> None:
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()


def _listen(settings: ReceiverSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.http_port), family=family, backlog=1024)
    except OSError as error:
        raise PortTakenError(
            f"cannot listen on {settings.host}:{settings.http_port} for OTLP over HTTP ({error.strerror}): "
            "stop what holds the port, or choose another http_port"
        ) from error


def _open_grpc(server: grpc.Server, settings: ReceiverSettings) -> int:
    try:
        return server.add_insecure_port(f"{_in_url(settings.host)}:{settings.grpc_port}")
    except RuntimeError as error:
        raise PortTakenError(
            f"cannot listen on {settings.host}:{settings.grpc_port} for OTLP over gRPC: "
            "stop what holds the port, or choose another grpc_port"
        ) from error


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
