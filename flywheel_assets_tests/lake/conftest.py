"""A lake in a folder and the same lake on an S3 API over loopback HTTP."""

import logging
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from moto.server import ThreadedMotoServer

from flywheel_assets.lake.lake import Lake


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Address of an S3 server (moto's) with a bucket named 'lake'."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    httpx.put(f"{address}/lake", trust_env=False).raise_for_status()
    yield address
    server.stop()


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
