"""A real Restate server (its binary is in an npm package), our receiver, and an agent service, all on loopback."""

import asyncio
import platform
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from flywheel_assets.lake.places import Places
from flywheel_assets.receiver.serve import Listening, serve
from flywheel_assets.receiver.settings import ReceiverSettings

HERE = Path(__file__).parent
VERSION = "1.7.12"
CACHE = HERE.parents[1] / "build" / "restate-server" / VERSION
CONFIG = """
disable-telemetry = true
bind-ip = "127.0.0.1"
listen-mode = "tcp"
bind-port = {node}
base-dir = "{base}"
tracing-endpoint = "http://127.0.0.1:{otlp}"
default-num-partitions = 2

[ingress]
bind-port = {ingress}

[admin]
bind-port = {admin}

[default-retry-policy]
initial-interval = "50ms"
max-attempts = 3
on-max-attempts = "pause"
"""


@dataclass(frozen=True)
class Restate:
    """A server with one service, whose spans go to our receiver."""

    places: Places
    admin: httpx.Client
    ingress: httpx.Client
    otlp: str
    sent: dict[str, str] = field(default_factory=dict)

    def send(self, handler: str, name: str = "") -> None:
        """Invoke one way, and remember the invocation by `name`."""
        answer = self.ingress.post(f"/Support/{handler}/send", json=name or handler).raise_for_status()
        self.sent[name or handler] = answer.json()["invocationId"]

    def rows(self, query: str) -> list[dict]:
        answer = self.admin.post("/query", json={"query": query}, headers={"accept": "application/json"})
        return answer.raise_for_status().json()["rows"]

    def invocations(self) -> dict[str, dict]:
        return {row["id"]: row for row in self.rows("SELECT * FROM sys_invocation")}


def until(done: Callable[[], object], what: str, seconds: float = 60) -> object:
    """What `done` answers, once it answers something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := done():
                return found
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def restate_binary() -> Path:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, and the Restate server comes as an npm package")
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"@restatedev/restate-server-{platform.system().lower()}-{machine}"
    binary = CACHE / "node_modules" / package / "bin" / "restate-server"
    if not binary.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--prefix", str(CACHE), "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run([*command, f"{package}@{VERSION}"], check=True, capture_output=True)
    return binary


@contextmanager
def receiving(inbox: Path) -> Generator[Listening]:
    opened, stop, at = threading.Event(), asyncio.Event(), []
    loop = asyncio.new_event_loop()
    settings = ReceiverSettings(inbox=inbox, http_port=0, grpc_port=0)

    def ready(listening: Listening) -> None:
        at.append(listening)
        opened.set()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(settings, ready, stop)))
    thread.start()
    assert opened.wait(20)
    try:
        yield at[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


@contextmanager
def process(command: list[str], log: Path) -> Generator[None]:
    with log.open("wb") as written:
        running = subprocess.Popen(command, stdout=written, stderr=written, start_new_session=True, cwd=log.parent)
    try:
        yield
    finally:
        running.terminate()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait(10)


@pytest.fixture(scope="module")
def restate(restate_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Restate]:
    folder = tmp_path_factory.mktemp("restate")
    places = Places(folder / "data")
    admin, ingress, service = free_port(), free_port(), free_port()
    with ExitStack() as stack:
        at = stack.enter_context(receiving(places.inbox))
        config = folder / "restate.toml"
        config.write_text(
            CONFIG.format(node=free_port(), base=folder / "base", otlp=at.grpc_port, ingress=ingress, admin=admin)
        )
        stack.enter_context(
            process([str(restate_binary), "--no-logo", "--config-file", str(config)], folder / "server.log")
        )
        agent = [sys.executable, str(HERE / "restate_agent.py"), str(service), f"http://127.0.0.1:{at.http_port}"]
        stack.enter_context(process([*agent, str(places.artifacts)], folder / "agent.log"))
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{admin}", timeout=30))
        caller = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{ingress}", timeout=30))
        until(lambda: client.get("/health").is_success, "Restate is healthy")
        uri = {"uri": f"http://127.0.0.1:{service}"}
        until(lambda: client.post("/deployments", json=uri).is_success, "the agent service is registered")
        yield Restate(places, client, caller, f"http://127.0.0.1:{at.http_port}")
