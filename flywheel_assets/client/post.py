"""Posting feedback over HTTP behind the agent's back: a queue, one thread, no exceptions."""

import json
from collections import deque
from collections.abc import Mapping
from threading import Condition, Thread
from time import monotonic, sleep

# Beyond this many, the newest are dropped and counted: an agent's memory is not a message queue.
LIMIT = 10_000
ATTEMPTS, PAUSE, BATCH = 3, 0.2, 500
# The receiver will not take this body, however often it is sent.
REFUSED = (400, 413, 415, 422)


class Poster:
    """Sends statements to `<url>/v1/feedback`, one JSON object a line."""

    def __init__(self, url: str, token: str | None, timeout: float) -> None:
        self._url = f"{url.rstrip('/')}/v1/feedback"
        self._headers = {
            "Content-Type": "application/x-ndjson",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }
        self._timeout = timeout
        self._waiting: deque[bytes] = deque()
        self._changed = Condition()
        self._thread: Thread | None = None
        self._sending = 0
        self.dropped = 0

    def post(self, statement: Mapping[str, object]) -> bool:
        """Queue a statement; False where it had to be dropped."""
        try:
            line = json.dumps(statement, ensure_ascii=False, default=str).encode() + b"\n"
            with self._changed:
                if len(self._waiting) >= LIMIT:
                    self.dropped += 1
                    return False
                self._waiting.append(line)
                # A thread does not survive a fork, the queue does.
                if self._thread is None or not self._thread.is_alive():
                    self._thread = Thread(target=self._run, name="flywheel-feedback", daemon=True)
                    self._thread.start()
                self._changed.notify_all()
        except (TypeError, ValueError, RecursionError, RuntimeError):
            self.dropped += 1
            return False
        return True

    def flush(self, timeout: float) -> bool:
        """Wait until all is sent or given up; False where some is left after `timeout` seconds."""
        end = monotonic() + timeout
        with self._changed:
            while self._waiting or self._sending:
                if not self._changed.wait(max(0.0, end - monotonic())) and monotonic() >= end:
                    return False
        return True

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                lines = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH))]
                self._sending = len(lines)
            lost = self._deliver(lines)
            with self._changed:
                self.dropped += lost
                self._sending = 0
                self._changed.notify_all()

    def _deliver(self, lines: list[bytes]) -> int:
        """How many of the lines were lost. The receiver takes all or none, so one wrong line is singled out."""
        for attempt in range(ATTEMPTS):
            status = self._send(b"".join(lines))
            if 200 <= status < 300:
                return 0
            if status in REFUSED:
                return 1 if len(lines) == 1 else sum(self._deliver([line]) for line in lines)
            sleep(PAUSE * attempt)
        return len(lines)

    def _send(self, body: bytes) -> int:
        """The answer's status; 0 where there was none."""
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen

        try:
            request = Request(self._url, data=body, headers=self._headers)  # noqa: S310 - the address is the agent's own
            with urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                return answer.status
        except HTTPError as error:
            with error:
                return error.code
        except (OSError, ValueError, HTTPException):
            return 0
