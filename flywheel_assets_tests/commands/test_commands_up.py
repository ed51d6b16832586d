"""`flywheel up` from healthy to stopped, as a person and as a supervisor end it."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flywheel_assets.commands.up import Ports, running
from flywheel_assets.lake.places import Places

UP = [
    sys.executable,
    "-m",
    "flywheel_assets.cli",
    "up",
    "--json",
    "--port",
    "0",
    "--otlp-http",
    "0",
    "--otlp-grpc",
    "0",
]


def children_of(process: int) -> list[int]:
    """Everything that descends from the process, by /proc."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == process:
            found += [int(path.parent.name), *children_of(int(path.parent.name))]
    return found


def alive(processes: list[int]) -> list[int]:
    def lives(process: int) -> bool:
        try:
            return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    return [process for process in processes if lives(process)]


@contextmanager
def started(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`flywheel up`; interrupted on the way out if the test did not end it."""
    with subprocess.Popen([*UP, "--data", str(data)], stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_up_answers_when_healthy_and_leaves_nobody_behind(ending: signal.Signals, tmp_path: Path) -> None:
    with started(tmp_path) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())["result"]
        with urllib.request.urlopen(f"{ready['otlp_http']}/health", timeout=10) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"{ready['ui']}/server_info", timeout=10) as answer:
            assert json.load(answer)["dagster_version"]
        family = children_of(process.pid)
        assert len(family) >= 4
        process.send_signal(ending)
        process.wait(60)
    until = time.monotonic() + 60
    while alive(family) and time.monotonic() < until:
        time.sleep(0.2)
    assert alive(family) == []
    assert process.returncode == (0 if ending is not signal.SIGKILL else -signal.SIGKILL)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*UP, "--data", str(tmp_path), "--port", str(port)], capture_output=True, text=True, check=False
        )
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["ok"]) == (4, False)
    assert str(port) in answer["error"]["message"]


@pytest.mark.slow
def test_what_arrives_is_landed_and_computed_by_the_sensors_alone(tmp_path: Path, arrive) -> None:
    from datetime import UTC, datetime, timedelta

    from flywheel_assets.lake.lake import Lake
    from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS

    places = Places(tmp_path)
    with running(places, Ports(0, 0, 0)):
        arrive(places, datetime.now(UTC).date() - timedelta(days=1), 10)
        until = time.monotonic() + 150
        while not Lake(places.lake).read(SKILL_DAY_STATS).num_rows and time.monotonic() < until:
            time.sleep(1)
    assert sum(row["runs"] for row in Lake(places.lake).read(SKILL_DAY_STATS).to_pylist()) == 10
