"""Prompts reach the registries: MLflow's own store, and a stand-in that holds requests to Langfuse's models."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from flywheel_assets.artifacts.export import Material
from flywheel_assets.artifacts.push import InProduction, push
from flywheel_assets.artifacts.registries import langfuse as to_langfuse
from flywheel_assets.artifacts.registries import mlflow as to_mlflow
from flywheel_assets.artifacts.routing import routing_document
from flywheel_assets.tables.documents.routing import PromptDocument, prompt_version
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile

TEXTS = ("Sort {{ticket}}.", "Sort {{ticket}}. Check the year.")
FIRST, SECOND = (InProduction("triage", prompt_version(text), text, "routing-1") for text in TEXTS)


class Langfuse:
    """Its prompt addresses, held to the request and answer models of its own SDK. There is no server to install."""

    def __init__(self) -> None:
        from langfuse.api.prompts import CreateTextPromptRequest, Prompt_Text

        self.held: list[dict[str, object]] = []
        self.status = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                label = parse_qs(address.query).get("label", ["production"])[0]
                name = unquote(address.path.removeprefix(f"{to_langfuse.PROMPTS}/"))
                found = [one for one in outer.held if one["name"] == name and label in one["labels"]]
                self.answer(200 if found else 404, found[0] if found else {"message": "not found"})

            def do_POST(self) -> None:
                given = self.given()
                request = CreateTextPromptRequest.model_validate(given)
                assert request.type == "text"
                assert not request.model_extra or set(request.model_extra) <= {"commitMessage"}
                version = 1 + sum(one["name"] == request.name for one in outer.held)
                kept = {"version": version, "labels": list(request.labels or ())} | {
                    name: given.get(name) for name in ("type", "name", "prompt", "config", "tags", "commitMessage")
                }
                Prompt_Text.model_validate(kept)
                outer.move(kept)
                outer.held.append(kept)
                self.answer(201, kept)

            def do_PATCH(self) -> None:
                version = int(self.path.rpartition("/")[2])
                one = next(one for one in outer.held if one["version"] == version)
                one["labels"] = self.given()["newLabels"]
                outer.move(one)
                self.answer(200, one)

            def given(self) -> dict:
                return json.loads(self.rfile.read(int(self.headers["content-length"])))

            def answer(self, status: int, content: object) -> None:
                assert self.headers["authorization"].startswith("Basic ")
                raw = json.dumps(content).encode()
                self.send_response(outer.status or status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_args) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.environment = {"LANGFUSE_BASE_URL": self.url, "LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk"}

    def move(self, to: dict) -> None:
        """A label is on one version of a prompt only."""
        for other in self.held:
            if other is not to and other["name"] == to["name"]:
                other["labels"] = [label for label in other["labels"] if label not in to["labels"]]


@pytest.fixture
def langfuse():
    there = Langfuse()
    thread = threading.Thread(target=there.server.serve_forever)
    thread.start()
    yield there
    there.server.shutdown()
    thread.join()
    there.server.server_close()


def production(there: Langfuse) -> list[tuple[object, object]]:
    return [(one["version"], one["prompt"]) for one in there.held if "production" in one["labels"]]


def test_langfuse_gets_each_version_once_and_production_moves(langfuse: Langfuse):
    seen = []
    for prompt in (FIRST, FIRST, SECOND, FIRST, SECOND):
        assert to_langfuse.push(prompt, langfuse.environment) is None
        seen += production(langfuse)
    assert seen == [(1, TEXTS[0]), (1, TEXTS[0]), (2, TEXTS[1]), (1, TEXTS[0]), (2, TEXTS[1])]


def test_langfuses_own_client_reads_what_was_pushed(langfuse: Langfuse):
    from langfuse.api.client import LangfuseAPI

    skill = replace(FIRST, skill="desk/triage 1")
    assert to_langfuse.push(skill, langfuse.environment) is None
    client = LangfuseAPI(base_url=langfuse.url, username="pk", password="sk")
    prompt = client.prompts.get("desk/triage 1", label="production")
    assert prompt.prompt == TEXTS[0]
    assert prompt.config == {"prompt_version": FIRST.version, "policy_id": "routing-1"}
    client._client_wrapper.httpx_client.httpx_client.close()


@pytest.mark.parametrize("status", [401, 500])
def test_a_registry_that_refuses_is_a_fault(langfuse: Langfuse, status: int):
    langfuse.status = status
    assert str(status) in str(to_langfuse.push(FIRST, langfuse.environment))
    assert "LANGFUSE_PUBLIC_KEY" in str(to_langfuse.push(FIRST, {}))


@pytest.mark.slow
def test_mlflow_gets_each_version_once_and_the_alias_moves(tmp_path: Path):
    from mlflow import MlflowClient

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    seen = []
    for prompt in (FIRST, FIRST, SECOND, FIRST):
        assert to_mlflow.push(prompt, {"MLFLOW_TRACKING_URI": uri}) is None
        held = client.get_prompt_version_by_alias("triage", "production")
        seen.append((held.version, held.template, held.tags["flywheel.prompt_version"]))
    first, second = (1, TEXTS[0], FIRST.version), (2, TEXTS[1], SECOND.version)
    assert seen == [first, first, second, first]


@pytest.mark.parametrize(
    ("prompt", "environment", "said"),
    [
        (FIRST, {}, "MLFLOW_TRACKING_URI"),
        (replace(FIRST, skill="a/b"), {"MLFLOW_TRACKING_URI": "sqlite:///x.db"}, "prompt names"),
    ],
)
def test_mlflow_is_told_nothing_that_it_cannot_take(prompt: InProduction, environment: dict[str, str], said: str):
    assert said in str(to_mlflow.push(prompt, environment))


@pytest.fixture
def material(rollout) -> Material:
    skills = SkillsFile(skills={"triage": Skill(baseline_model="m"), "bare": Skill(baseline_model="m")})
    states = {"triage": rollout(f"m|{FIRST.version}|-", f"m|{FIRST.version}|-"), "bare": rollout("m|-|-", "m|-|-")}
    known = {("triage", FIRST.version): PromptDocument(skill="triage", version=FIRST.version, text=FIRST.text)}
    return Material(routing_document(states, skills, None), known)


def test_nothing_is_pushed_unasked(material: Material, tmp_path: Path, langfuse: Langfuse):
    assert push(material, tmp_path, langfuse.environment).taken == ()
    assert langfuse.held == []


def test_what_was_taken_is_not_asked_for_again_and_what_was_not_is(
    material: Material, tmp_path: Path, langfuse: Langfuse
):
    environment = {**langfuse.environment, "FLYWHEEL_PROMPT_REGISTRIES": "langfuse, nowhere"}
    langfuse.status = 500
    failed = push(material, tmp_path, environment)
    assert failed.taken == ()
    assert [one.partition(":")[0] for one in failed.faults] == ["nowhere is no registry known here", "langfuse"]
    langfuse.status = 0
    assert push(material, tmp_path, environment).taken == ("langfuse: triage",)
    langfuse.status = 500
    assert push(material, tmp_path, environment) == replace(failed, faults=failed.faults[:1])
