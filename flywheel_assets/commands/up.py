"""`flywheel up`: the receiver and Dagster as child processes on loopback, from healthy to stopped.

Each child has a session of its own, so that Ctrl-C reaches this process alone and it stops them in
order. Should this process be killed, the kernel tells the children (on Linux).
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.text import Text

from flywheel_assets.commands.envelope import Answer, RefusedError, write_envelope
from flywheel_assets.commands.skills import read_skills
from flywheel_assets.lake.places import Places

HOST = "127.0.0.1"
BOOT_SECONDS, STOP_SECONDS = 300.0, 30.0
LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError { __typename } } } } }
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0 lets the system choose."""

    ui: int = 3000
    otlp_http: int = 4318
    otlp_grpc: int = 4317


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where things are once they are up."""

    ui: str
    otlp_http: str
    otlp_grpc: str
    desk: str


def stay_up(places: Places, ports: Ports, *, as_json: bool) -> Answer:
    """Start both, say where they are, and wait for Ctrl-C or SIGTERM."""
    read_skills(places)
    console = Console(stderr=True, quiet=as_json)
    with stopping_on_signals() as stopped, running(places, ports, stopped, console) as (addresses, children):
        if as_json:
            write_envelope("up", True, addresses_of(addresses), None, ["send SIGINT to stop"])
        else:
            _print(console, addresses, places)
        while not stopped() and all(child.poll() is None for child in children):
            time.sleep(0.2)
        dead = [child for child in children if child.poll() is not None]
        if dead and not stopped():
            raise RefusedError(f"a child ended by itself with code {dead[0].returncode}", [f"read {log_file(places)}"])
    return Answer({"stopped": True}, [Text("stopped")])


@contextmanager
def running(
    places: Places, ports: Ports, stopped: Callable[[], bool] = lambda: False, console: Console | None = None
) -> Generator[tuple[Addresses, list[subprocess.Popen[bytes]]]]:
    """Both children, healthy; stopped on the way out, whatever happens."""
    from flywheel_assets.defs.home import environment

    environ = {**os.environ, **environment(places), "PYTHONUNBUFFERED": "1"}
    ui_port = ports.ui or _free_port()
    _refuse_taken(ui_port)
    children: list[subprocess.Popen[bytes]] = []
    console = console or Console(quiet=True)
    with log_file(places).open("ab") as log:
        try:
            with console.status("starting"):
                receiver = _start(_receiver(ports), environ, log, stdout=subprocess.PIPE)
                children.append(receiver)
                children.append(_start(_dagster(ui_port), environ, log))
                doors = _doors(receiver, places)
                _wait_until_loaded(f"http://{HOST}:{ui_port}", children, stopped, places)
            yield Addresses(f"http://{HOST}:{ui_port}", doors["http"], doors["grpc"], doors["desk"]), children
        finally:
            with console.status("stopping"):
                _stop(children)


@contextmanager
def stopping_on_signals() -> Generator[Callable[[], bool]]:
    """Whether SIGINT or SIGTERM has come; both do nothing else while this is entered."""
    seen: list[int] = []
    before = {number: signal.signal(number, lambda caught, _: seen.append(caught)) for number in STOPPERS}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


STOPPERS = (signal.SIGINT, signal.SIGTERM)


def log_file(places: Places) -> Path:
    """What the children say."""
    return places.data / "dagster" / "up.log"


def addresses_of(addresses: Addresses) -> dict[str, str]:
    """For the envelope."""
    return asdict(addresses)


def _receiver(ports: Ports) -> list[str]:
    doors = ["--http-port", str(ports.otlp_http), "--grpc-port", str(ports.otlp_grpc)]
    return [sys.executable, "-m", "flywheel_assets.cli", "receive", *doors, "--json"]


def _dagster(port: int) -> list[str]:
    # One code server for UI and daemon, which `dagster dev` starts and stops.
    where = ["-m", "flywheel_assets.definitions", "-h", HOST, "-p", str(port)]
    return [sys.executable, "-m", "dagster", "dev", *where, "--log-level", "warning"]


def _start(
    command: list[str], environ: dict[str, str], log: BinaryIO, stdout: int | None = None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=stdout or log,
        stderr=log,
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads here yet
    )


def _die_with_parent() -> None:
    # PR_SET_PDEATHSIG: `dagster dev` stops what it started when it is interrupted.
    ctypes.CDLL(None).prctl(1, signal.SIGINT)


def _doors(receiver: subprocess.Popen[bytes], places: Places) -> dict[str, str]:
    line = receiver.stdout.readline() if receiver.stdout else b""
    if not line.strip():
        raise RefusedError(
            "the receiver did not start: is a port taken?",
            [f"read {log_file(places)}", "choose others: flywheel up --otlp-http 0 --otlp-grpc 0"],
        )
    answer = json.loads(line)
    if not answer["ok"]:
        raise RefusedError(str(answer["error"]["message"]), answer["next_actions"])
    return {name: str(where) for name, where in answer["result"].items()}


def _wait_until_loaded(
    ui: str, children: list[subprocess.Popen[bytes]], stopped: Callable[[], bool], places: Places
) -> None:
    until = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < until and not stopped():
        if any(child.poll() is not None for child in children):
            raise RefusedError("Dagster did not start", [f"read {log_file(places)}"])
        loaded = _loaded(ui)
        if loaded:
            return
        if loaded is False:
            raise RefusedError("Dagster is up, but the asset graph does not load", [f"open {ui}/locations"])
        time.sleep(0.25)
    if not stopped():
        raise RefusedError(f"Dagster was not healthy after {BOOT_SECONDS:.0f} s", [f"read {log_file(places)}"])


def _loaded(ui: str) -> bool | None:
    """Whether the asset graph is loaded; None: not yet known."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{ui}/graphql", data=json.dumps({"query": LOCATIONS}).encode(), headers={"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            found = json.load(answer)["data"]["workspaceOrError"].get("locationEntries", [])
    except (OSError, urllib.error.URLError, json.JSONDecodeError):
        return None
    if not found or any(entry["loadStatus"] != "LOADED" for entry in found):
        return None
    return all((entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation" for entry in found)


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    """Interrupt each child and wait until its whole process group is gone; kill what stays."""
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
    until = time.monotonic() + STOP_SECONDS
    for child in children:
        while _group_lives(child) and time.monotonic() < until:
            time.sleep(0.1)
        if _group_lives(child):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdout:
            child.stdout.close()


def _group_lives(child: subprocess.Popen[bytes]) -> bool:
    """Whether the child or anything that it started is there; its id is not reused as long as it is."""
    child.poll()
    try:
        os.killpg(child.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def _refuse_taken(port: int) -> None:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, port))
        except OSError as error:
            raise RefusedError(f"port {port} is taken", ["choose another: flywheel up --port 0"]) from error


def _print(console: Console, addresses: Addresses, places: Places) -> None:
    console.print(f"Dagster UI      {addresses.ui}", highlight=False)
    console.print(f"OTLP over HTTP  {addresses.otlp_http}", highlight=False)
    console.print(f"OTLP over gRPC  {addresses.otlp_grpc}", highlight=False)
    console.print(f"desk            {addresses.desk}", highlight=False)
    console.print(f"artifacts       {places.artifacts}", highlight=False)
    console.print("agents: OTEL_EXPORTER_OTLP_ENDPOINT=" + addresses.otlp_http, highlight=False)
    console.print("Ctrl-C stops everything; what was acknowledged stays.", style="dim")
