"""Agents load artifacts from the receiver by the client that they have, and see changes at once."""

import hashlib
import threading
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from flywheel_assets.artifacts.channel import Channel, Pointer, document_bytes
from flywheel_assets.artifacts.files import write_whole
from flywheel_assets.client.client import Client
from flywheel_assets.receiver.settings import ReceiverSettings
from flywheel_assets.tables.documents.routing import RoutingDocument, Segment, SkillRoute
from flywheel_assets_tests.receiver.conftest import started


def publish(folder: Path, version: int, model: str) -> str:
    trial = (Segment(name="production", arm=f"{model}|-|-", share=1.0),)
    document = RoutingDocument(
        version=version, skills={"triage": SkillRoute(salt="s", fixed=(), trial_salt="t", trial=trial)}
    )
    content = document_bytes(document)
    path = f"routing/{version}-{document.policy_id}.json"
    write_whole(folder / path, content)
    pointer = Pointer(
        policy_id=document.policy_id, path=path, sha256=hashlib.sha256(content).hexdigest(), version=version
    )
    Channel(folder).point(pointer, datetime(2026, 1, version, tzinfo=UTC))
    return document.policy_id


@pytest.fixture
def served(tmp_path):
    publish(tmp_path / "artifacts", 1, "north/small")
    (tmp_path / "secret.json").write_text("{}")
    with started(ReceiverSettings(inbox=tmp_path / "inbox", http_port=0, grpc_port=0)) as receiver:
        yield f"{receiver.at.http}/v1/artifacts", tmp_path / "artifacts"


def test_the_client_decides_from_the_receiver_as_from_a_folder(served):
    url, folder = served
    client, beside = Client(url), Client(folder)
    for unit in map(str, range(20)):
        theirs, ours = client.decide("triage", unit), beside.decide("triage", unit)
        assert theirs._replace(decision_id="") == ours._replace(decision_id="")
    second = publish(folder, 2, "north/large")
    assert client.refresh()
    assert (client.policy_id, client.decide("triage").model) == (second, "north/large")


def test_what_is_known_is_not_sent_again(served):
    url, folder = served
    first = httpx.get(f"{url}/production")
    assert first.json()["version"] == 1
    again = httpx.get(f"{url}/production", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    publish(folder, 2, "north/large")
    changed = httpx.get(f"{url}/production", headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)


def test_a_long_poll_answers_when_something_was_published(served):
    url, folder = served
    tag = httpx.get(f"{url}/production").headers["ETag"]
    later = threading.Timer(0.5, publish, (folder, 2, "north/large"))
    later.start()
    answer = httpx.get(f"{url}/production?wait=30", headers={"If-None-Match": tag}, timeout=40)
    later.join()
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert httpx.get(f"{url}/production?wait=0.3", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    "name",
    ["other", "../secret.json", "%2e%2e/secret.json", "routing/..%2f..%2fsecret.json", "channels/", "channels/.x"],
)
def test_nothing_else_can_be_read(served, name):
    assert httpx.get(f"{served[0]}/{name}").status_code in (404, 405)


def test_the_token_is_asked_for(tmp_path):
    publish(tmp_path / "artifacts", 1, "north/small")
    settings = ReceiverSettings(inbox=tmp_path / "inbox", http_port=0, grpc_port=0, token=SecretStr("right"))
    with started(settings) as receiver:
        url = f"{receiver.at.http}/v1/artifacts"
        assert httpx.get(f"{url}/production").status_code == 401
        assert Client(url).policy_id is None
        assert Client(url, token="right").policy_id is not None
