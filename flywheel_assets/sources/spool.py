"""`Spool`: batches onto disk for good, many of them for the price of one fsync.

Segments are in the forms of the OpenTelemetry Collector's file exporter, so that landing reads both
alike. An append returns when the batch survives a power cut; what it refuses, it says.
"""

import fcntl
import os
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from flywheel_assets.sources.framing import MAX_BATCH
from flywheel_assets.sources.segments import SegmentName, sync

Form = Literal["protobuf", "json", "feedback"]
SUFFIXES: dict[Form, str] = {"protobuf": ".binpb", "json": ".jsonl", "feedback": ".feedback.jsonl"}


class SpoolRefusedError(Exception):
    """The batch is not on disk. The sender keeps it and may try again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SpoolFullError(SpoolRefusedError):
    """As much waits for the disk as may; what is sent more slowly will be taken."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    data: bytes
    stored: Future[None]


class _Segment:
    """One file that is being appended to, locked for as long as it is."""

    def __init__(self, folder: Path, source: str, form: Form) -> None:
        name = SegmentName(source, datetime.now(UTC), secrets.token_hex(8), SUFFIXES[form])
        self.path = folder / str(name)
        self.size = 0
        self.opened = time.monotonic()
        # Locked before it gets the name under which others look at it.
        hidden = folder / f".{name}"
        self._descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        hidden.rename(self.path)
        sync(folder)

    def write(self, data: bytes) -> None:
        """Append and sync.

        Raises OSError, after which the segment is to be closed: nobody knows what is on disk beyond
        `size`. It is not cut off, because a landing may be reading it.
        """
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        os.fsync(self._descriptor)
        self.size += len(data)

    def close(self) -> None:
        """Release the segment: it is finished."""
        os.close(self._descriptor)


class Spool:
    """Appends batches durably to segments in `folder`; call from any thread.

    A segment is finished when it has `segment_bytes` or is `segment_seconds` old. More than
    `backlog_bytes` waiting for the disk are refused.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = 64 * 1024 * 1024,
        segment_seconds: float = 60.0,
        backlog_bytes: int = 256 * 1024 * 1024,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._segment_seconds = segment_seconds
        self._backlog_bytes = backlog_bytes
        self._segments: dict[tuple[str, Form], _Segment] = {}
        self._waiting: dict[tuple[str, Form], list[_Waiting]] = {}
        self._changed = threading.Condition()
        self._closing = False
        self.backlog = 0
        self.fault: str | None = None
        self._writer = threading.Thread(target=self._write_until_closed, name="spool", daemon=True)
        self._writer.start()

    def submit(self, payload: bytes, form: Form, source: str) -> Future[None]:
        """Queue a batch; the future is done when it is durable, or fails with SpoolRefusedError.

        A JSON payload is one line; feedback may be several, which are stored together. An empty
        payload holds nothing to keep and is done at once.
        """
        stored: Future[None] = Future()
        if not payload:
            stored.set_result(None)
            return stored
        if len(payload) > MAX_BATCH:
            raise SpoolRefusedError(f"a batch of {len(payload)} bytes; {MAX_BATCH} is the most")
        if form == "json" and b"\n" in payload:
            raise ValueError("a JSON payload is spooled as one line")
        data = len(payload).to_bytes(4, "big") + payload if form == "protobuf" else payload + b"\n"
        with self._changed:
            if self._closing:
                raise SpoolRefusedError("the spool is closed: the receiver is shutting down")
            if self.backlog + len(data) > self._backlog_bytes:
                raise SpoolFullError(f"{self.backlog} bytes are still waiting for the disk", retry_after=1)
            self.backlog += len(data)
            self._waiting.setdefault((source, form), []).append(_Waiting(data, stored))
            self._changed.notify()
        return stored

    def append(self, payload: bytes, form: Form, source: str) -> None:
        """Return when the batch is durable. Raises SpoolRefusedError when it is not."""
        self.submit(payload, form, source).result()

    def close(self) -> None:
        """Store what is waiting, finish all segments, and refuse from now on."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._writer.join()

    def _write_until_closed(self) -> None:
        try:
            self._write()
        finally:
            # Whatever ended the writer, nobody may wait for it in vain.
            with self._changed:
                self._closing = True
                left = [one for waiting in self._waiting.values() for one in waiting]
                self._waiting = {}
            _answer(left, SpoolRefusedError("the spool has stopped: restart the receiver"))

    def _write(self) -> None:
        while True:
            with self._changed:
                if not self._waiting and not self._closing:
                    self._changed.wait(self._segment_seconds / 4)
                groups, self._waiting = self._waiting, {}
                closing = self._closing and not groups
            for (source, form), waiting in groups.items():
                self._store(source, form, waiting)
            self._finish_segments(everything=closing)
            if closing:
                return

    def _store(self, source: str, form: Form, waiting: Sequence[_Waiting]) -> None:
        failure: SpoolRefusedError | None = None
        size = sum(len(one.data) for one in waiting)
        try:
            segment = self._segments.get((source, form))
            if segment is None:
                segment = self._segments[source, form] = _Segment(self._folder, source, form)
            segment.write(b"".join(one.data for one in waiting))
            self.fault = None
        except (OSError, MemoryError) as error:
            self.fault = f"cannot write to {self._folder}: {error}; free space or repair the disk"
            failure = SpoolRefusedError(self.fault)
            broken = self._segments.pop((source, form), None)
            if broken is not None:
                broken.close()
        with self._changed:
            self.backlog -= size
        _answer(waiting, failure)

    def _finish_segments(self, *, everything: bool) -> None:
        oldest = time.monotonic() - self._segment_seconds
        for key, segment in list(self._segments.items()):
            if everything or segment.size >= self._segment_bytes or segment.opened <= oldest:
                segment.close()
                del self._segments[key]


def _answer(waiting: Sequence[_Waiting], failure: SpoolRefusedError | None) -> None:
    for one in waiting:
        # A sender that hung up has cancelled its future; its batch is kept all the same.
        if one.stored.set_running_or_notify_cancel():
            if failure is None:
                one.stored.set_result(None)
            else:
                one.stored.set_exception(failure)
