"""What both doors do with a request: let it in or refuse it, check that it parses, spool it as it came."""

import hmac
import zlib
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec
import zstandard
from pydantic import ValidationError

from flywheel_assets.receiver.settings import ReceiverSettings
from flywheel_assets.sources.log_events import EVALUATION, InvalidLogsError, evaluations
from flywheel_assets.sources.scan import Scan, explain, scan
from flywheel_assets.sources.spool import Form, Spool, SpoolFullError, SpoolRefusedError
from flywheel_assets.tables.documents.feedback import PostedFeedback

Fault = Literal["malformed", "unauthenticated", "too large", "unsupported", "overloaded", "unavailable"]

ONLY_EVALUATIONS = f"of logs only {EVALUATION} events are kept"
_ANY = msgspec.json.Decoder[object]()


class RefusedError(Exception):
    """A request that is not taken; `retry_after` in seconds where trying again can help."""

    def __init__(self, fault: Fault, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.fault: Fault = fault
        self.message = message
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch on its way to the disk; `rejected` of what it counts will be set aside, for the `reason`."""

    stored: Future[None]
    rejected: int = 0
    reason: str = ""
    counted: str = "Spans"


class Door:
    """The checks and the spools behind the HTTP and the gRPC door; events of a system bus have their own."""

    def __init__(self, settings: ReceiverSettings, spool: Spool, events: Spool) -> None:
        self.settings = settings
        self.spool = spool
        self.events = events
        self._token = None if settings.token is None else settings.token.get_secret_value().encode()

    def authenticate(self, authorization: str | None) -> None:
        """Raise RefusedError unless the header shows the token."""
        if self._token is None:
            return
        scheme, _, shown = (authorization or "").partition(" ")
        if not hmac.compare_digest(shown.strip().encode(), self._token) or scheme.lower() != "bearer":
            raise RefusedError(
                "unauthenticated", "send the header 'Authorization: Bearer <token>' with the right token"
            )

    def take_protobuf(self, payload: bytes) -> Taken:
        """Spool a protobuf export request as it came."""
        found = _scanned(payload, "protobuf")
        return _taken(self._spool(payload, "protobuf"), found)

    def take_json(self, payload: bytes) -> Taken:
        """Spool a JSON export request, on one line."""
        found = _scanned(payload, "json")
        one_line = msgspec.json.format(payload, indent=-1) if b"\n" in payload else payload
        return _taken(self._spool(one_line, "json"), found)

    def take_logs(self, payload: bytes, form: Literal["protobuf", "json"]) -> Taken:
        """Spool the evaluation results of a logs export request, as spans; other records are not kept."""
        try:
            found = evaluations(payload, form)
        except InvalidLogsError as error:
            raise RefusedError("malformed", str(error)) from error
        stored = self._spool(found.request, "json")
        return Taken(stored, found.others, ONLY_EVALUATIONS if found.others else "", counted="LogRecords")

    def take_feedback(self, body: bytes) -> tuple[int, Future[None]]:
        """Spool one statement, an array or lines of them; how many. When one is wrong, none is taken."""
        posted = _feedback(body)
        return len(posted), self._spool("\n".join(one.model_dump_json() for one in posted).encode(), "feedback")

    def inflate(self, body: bytes, encoding: str) -> bytes:
        """The body without its content encoding, never more than `max_body_bytes` of it."""
        if encoding in {"", "identity"}:
            return body
        if encoding in {"gzip", "deflate"}:
            return self._unzip(body)
        if encoding == "zstd":
            return self._unzstd(body)
        raise RefusedError("unsupported", f"content encoding {encoding!r}; use gzip, zstd or none")

    def too_large(self) -> RefusedError:
        """The refusal of a body beyond the limit."""
        limit = self.settings.max_body_bytes
        return RefusedError(
            "too large", f"more than {limit} bytes; send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE)"
        )

    def _unzip(self, body: bytes) -> bytes:
        limit = self.settings.max_body_bytes
        # 32 more than the window's bits: gzip or zlib, whichever the header says.
        inflate = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
        try:
            plain = inflate.decompress(body, limit + 1)
        except zlib.error as error:
            raise RefusedError("malformed", f"the body is not what its content encoding says: {error}") from error
        if len(plain) > limit:
            raise self.too_large()
        if not inflate.eof:
            raise RefusedError("malformed", "the compressed body ends early")
        return plain

    def _unzstd(self, body: bytes) -> bytes:
        limit = self.settings.max_body_bytes
        try:
            with zstandard.ZstdDecompressor().stream_reader(body) as reader:
                plain = reader.read(limit + 1)
        except zstandard.ZstdError as error:
            raise RefusedError("malformed", f"the body is not what its content encoding says: {error}") from error
        if len(plain) > limit:
            raise self.too_large()
        return plain

    def _spool(self, payload: bytes, form: Form) -> Future[None]:
        source = "feedback" if form == "feedback" else self.settings.source
        try:
            return self.spool.submit(payload, form, source)
        except SpoolFullError as error:
            raise RefusedError("overloaded", str(error), error.retry_after) from error
        except SpoolRefusedError as error:
            raise RefusedError("unavailable", str(error), error.retry_after) from error


def _scanned(payload: bytes, form: Literal["protobuf", "json"]) -> Scan:
    """What landing will find in the batch."""
    (found,) = scan([payload], form, datetime.now(UTC))
    if found.error is not None:
        raise RefusedError("malformed", found.error)
    return found


def _taken(stored: Future[None], found: Scan) -> Taken:
    reasons = sorted({f"{aside.reason}: {aside.detail}" for aside in found.set_aside})
    return Taken(stored, len(found.set_aside), "; ".join(reasons[:3]))


def _feedback(body: bytes) -> Sequence[PostedFeedback]:
    try:
        decoded = msgspec.json.decode(body) if body.lstrip()[:1] == b"[" else _objects(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RefusedError("malformed", f"feedback is a JSON object, an array or lines of them: {error}") from error
    if not decoded:
        raise RefusedError("malformed", "no feedback in the body")
    now = datetime.now(UTC).isoformat()
    posted: list[PostedFeedback] = []
    wrong: list[str] = []
    for position, one in enumerate(decoded):
        try:
            # What says no time was observed now.
            posted.append(PostedFeedback.model_validate({"observed_at": now, **one} if isinstance(one, dict) else one))
        except ValidationError as error:
            wrong.append(f"[{position}] {explain(error)}")
    if wrong:
        raise RefusedError("malformed", "nothing was stored: " + " | ".join(wrong[:20]))
    return posted


def _objects(body: bytes) -> list[object]:
    try:
        return [msgspec.json.decode(body)]
    except msgspec.DecodeError:
        return _ANY.decode_lines(body)
