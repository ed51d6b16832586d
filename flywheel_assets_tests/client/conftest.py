"""An artifacts folder as the publisher leaves it, made without the publisher; and servers to load it from."""

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest

PROMPT = "Answer in one word."
VERSION = hashlib.sha256(PROMPT.encode()).hexdigest()[:12]


def write_artifacts(
    folder: Path, arm: str = f"north/large|{VERSION}|-", version: int = 1, holdout: float = 0.0, **route_says: object
) -> str:
    """One skill, 'triage', on one arm; the policy id."""
    fixed = [{"name": "holdout", "arm": "north/small|-|-", "share": holdout}] if holdout else []
    route: dict[str, object] = {
        "salt": "s",
        "fixed": fixed,
        "trial_salt": "t",
        "experiment_id": None,
        "fallbacks": ["north/large", "b/1"],
    }
    route["trial"] = [{"name": "production", "arm": arm, "share": 1.0}]
    route |= route_says
    content = json.dumps({"schema": "flywheel.routing/1", "version": version, "skills": {"triage": route}}).encode()
    policy_id = f"routing-{hashlib.sha256(content).hexdigest()[:12]}"
    for path, text in {
        f"routing/{version}.json": content,
        f"prompts/triage/{VERSION}.json": json.dumps({"text": PROMPT}).encode(),
        "channels/production.json": json.dumps(
            {
                "policy_id": policy_id,
                "path": f"routing/{version}.json",
                "sha256": hashlib.sha256(content).hexdigest(),
                "version": version,
            }
        ).encode(),
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        beside = folder / f"{path}.part"
        beside.write_bytes(text)
        beside.replace(folder / path)
    return policy_id


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder with ETags, and takes feedback."""

    posted: ClassVar[list[dict]] = []
    answers: ClassVar[list[int]] = []
    refuse: ClassVar[list[int]] = []

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        unchanged = self.headers.get("If-None-Match") == etag
        self.answers.append(304 if unchanged else 200)
        self.send_response(304 if unchanged else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", "0" if unchanged else str(len(content)))
        self.end_headers()
        if not unchanged:
            self.wfile.write(content)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.refuse:
            self.send_error(self.refuse.pop())
            return
        self.posted.extend(
            {**json.loads(line), "path": self.path, "authorization": self.headers.get("Authorization")}
            for line in body.splitlines()
        )
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path) -> Iterator[tuple[str, type[Handler]]]:
    """A web server over `tmp_path`: its address, and what it saw."""
    handler = type("Fresh", (Handler,), {"posted": [], "answers": [], "refuse": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path))) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", handler
        running.shutdown()
        thread.join()


@pytest.fixture
def write():
    return write_artifacts
