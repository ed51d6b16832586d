"""A lake in a folder and the same lake on an S3 API over loopback HTTP."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from flywheel_assets.lake.lake import Lake


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Address of an S3 server (moto's, a process of its own) with a bucket named 'lake'."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        transport = httpx.HTTPTransport(retries=12)
        with httpx.Client(transport=transport, trust_env=False) as client:
            client.put(f"{address}/lake").raise_for_status()
        yield address
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture
def s3_lake(s3: str) -> Lake:
    """An empty lake on an object store, with the settings an operator gives."""
    return Lake(
        f"s3://lake/{uuid4().hex}",
        {
            "AWS_ENDPOINT_URL": s3,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "loopback",
            "AWS_SECRET_ACCESS_KEY": "loopback",
            "AWS_REGION": "us-east-1",
            "conditional_put": "etag",
        },
    )


@pytest.fixture(params=["folder", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake, once in a folder and once on an object store."""
    return Lake(str(tmp_path / "lake")) if request.param == "folder" else request.getfixturevalue("s3_lake")
