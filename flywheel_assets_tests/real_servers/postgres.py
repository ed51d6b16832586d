"""A real PostgreSQL on loopback, of Debian's package, in a folder that is gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
HURRY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "unix_socket_directories=")


@contextmanager
def postgres_url() -> Generator[str]:
    """The address of an empty database; its server refuses to be root, so root lends it to another user."""
    programs = PROGRAMS[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="flywheel-postgres-"))
    whose = _unprivileged(folder)
    data = str(folder / "data")
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "flywheel", "-A", "trust", "-E", "UTF8", "--locale", "C", "-N"],
        check=True,
        stdout=subprocess.DEVNULL,
        **whose,
    )
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    options = [word for setting in (*HURRY, "listen_addresses=127.0.0.1", f"port={port}") for word in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([programs / "postgres", "-D", data, *options], stdout=log, stderr=log, **whose)
    try:
        _wait(server, port, folder / "log")
        yield f"postgresql://flywheel@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder)


def _unprivileged(folder: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": folder}


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    import psycopg2

    until = time.monotonic() + 30
    while True:
        try:
            psycopg2.connect(host="127.0.0.1", port=port, user="flywheel", dbname="postgres").close()
        except psycopg2.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.1)
        else:
            return
