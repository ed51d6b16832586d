"""A model behind an OpenAI-compatible address on this machine, for tests: it answers what it is told to."""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Message = dict[str, Any]
# Given a request's messages: the answer's text, a whole message, or None for an error of the server.
Answer = Callable[[list[Message]], str | Message | None]


@dataclass
class Model:
    """What was asked, and where."""

    base: str
    seen: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def served(answer: Answer) -> Generator[Model]:
    """The model, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.seen.append(body)
            said = answer(body["messages"])
            if said is None:
                self.send_error(500)
                return
            payload = json.dumps(completion({"content": said} if isinstance(said, str) else said)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            try:
                self.wfile.write(payload)
            except (BrokenPipeError, ConnectionResetError):
                # Whoever asked has stopped waiting.
                return

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model = Model(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def completion(message: Message) -> dict[str, Any]:
    """The body of a chat completion that holds this message."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "stub",
        "choices": [choice],
        "usage": usage,
    }
