"""OTLP over HTTP, posted feedback, what agents load, health, and the desk, as an ASGI application."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flywheel_assets.receiver.answers import status_protobuf, success_json, success_protobuf
from flywheel_assets.receiver.artifacts_door import PATH as ARTIFACTS_PATH
from flywheel_assets.receiver.artifacts_door import ArtifactsDoor
from flywheel_assets.receiver.desk.pages import Desk
from flywheel_assets.receiver.desk.work import Queues
from flywheel_assets.receiver.door import Door, Fault, RefusedError, Taken
from flywheel_assets.receiver.emit_door import PATH as EMIT_PATH
from flywheel_assets.receiver.emit_door import EmitDoor
from flywheel_assets.sources.spool import SpoolRefusedError

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
_LINES = frozenset({JSON, "application/jsonl", "application/x-ndjson"})

# HTTP status and google.rpc code of each refusal.
_CODES: dict[Fault, tuple[int, int]] = {
    "malformed": (400, 3),
    "unauthenticated": (401, 16),
    "too large": (413, 8),
    "unsupported": (415, 3),
    "overloaded": (429, 8),
    "unavailable": (503, 14),
}
# Checking a batch larger than this would hold up the event loop noticeably.
_LARGE = 256 * 1024


def application(door: Door, queues: Queues) -> Starlette:
    """The routes of the HTTP door; with queues, those of the desk too."""
    http = _HttpDoor(door)
    token = door.settings.token
    desk = Desk(queues, None if token is None else token.get_secret_value()).routes() if queues else []
    return Starlette(
        routes=[
            Route("/v1/traces", http.traces, methods=["POST"]),
            Route("/v1/logs", http.logs, methods=["POST"]),
            Route("/v1/feedback", http.feedback, methods=["POST"]),
            Route("/v1/{other:path}", http.other, methods=["POST"]),
            Route(EMIT_PATH, EmitDoor(door).emit, methods=["POST"]),
            Route(ARTIFACTS_PATH, ArtifactsDoor(door).get, methods=["GET"]),
            Route("/health", http.health, methods=["GET"]),
            *desk,
        ]
    )


class _HttpDoor:
    def __init__(self, door: Door) -> None:
        self._door = door
        self._in_hand = 0

    async def traces(self, request: Request) -> Response:
        """POST /v1/traces."""
        return await self._answered(request, self._take_traces)

    async def logs(self, request: Request) -> Response:
        """POST /v1/logs."""
        return await self._answered(request, self._take_logs)

    async def feedback(self, request: Request) -> Response:
        """POST /v1/feedback."""
        return await self._answered(request, self._take_feedback)

    async def other(self, request: Request) -> Response:
        """Metrics and anything else: refused with a word of advice."""
        taken = "only traces (/v1/traces), evaluation events (/v1/logs) and feedback (/v1/feedback) are"
        message = f"{request.url.path} is not taken here; {taken}"
        return _refusal(404, 12, message, _content_type(request))

    async def health(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """GET /health: 200 while batches can be stored."""
        spools = (self._door.spool, self._door.events)
        fault = next((spool.fault for spool in spools if spool.fault is not None), None)
        backlog = sum(spool.backlog for spool in spools)
        state = {"status": "ok" if fault is None else "failing", "fault": fault, "backlog": backlog}
        return JSONResponse(state, status_code=200 if fault is None else 503)

    async def _answered(self, request: Request, take: Callable[[Request], Awaitable[Response]]) -> Response:
        try:
            self._door.authenticate(request.headers.get("authorization"))
            with self._room():
                return await take(request)
        except RefusedError as error:
            status, code = _CODES[error.fault]
            return _refusal(status, code, error.message, _content_type(request), error.retry_after)
        except SpoolRefusedError as error:
            return _refusal(503, 14, str(error), _content_type(request), error.retry_after)
        except ClientDisconnect:
            return Response(status_code=400)

    @contextmanager
    def _room(self) -> Generator[None]:
        if self._in_hand >= self._door.settings.max_concurrent:
            raise RefusedError("overloaded", f"{self._in_hand} requests are in hand already", retry_after=1)
        self._in_hand += 1
        try:
            yield
        finally:
            self._in_hand -= 1

    async def _take_traces(self, request: Request) -> Response:
        take = self._door.take_protobuf if _content_type(request) == PROTOBUF else self._door.take_json
        return await self._exported(request, take)

    async def _take_logs(self, request: Request) -> Response:
        form = "protobuf" if _content_type(request) == PROTOBUF else "json"
        return await self._exported(request, partial(self._door.take_logs, form=form))

    async def _exported(self, request: Request, take: Callable[[bytes], Taken]) -> Response:
        kind = _content_type(request)
        if kind not in {PROTOBUF, JSON}:
            raise RefusedError("unsupported", f"content type {kind!r}; use {PROTOBUF} or {JSON}")
        body = await self._body(request)
        encoding = request.headers.get("content-encoding", "").strip().lower()

        def check() -> Taken:
            return take(self._door.inflate(body, encoding))

        taken = await asyncio.to_thread(check) if len(body) > _LARGE or encoding else check()
        await asyncio.wrap_future(taken.stored)
        return Response(success_protobuf(taken) if kind == PROTOBUF else success_json(taken), media_type=kind)

    async def _take_feedback(self, request: Request) -> Response:
        kind = _content_type(request)
        if kind not in _LINES:
            raise RefusedError("unsupported", f"content type {kind!r}; use {JSON}")
        body = self._door.inflate(
            await self._body(request), request.headers.get("content-encoding", "").strip().lower()
        )
        count, stored = self._door.take_feedback(body)
        await asyncio.wrap_future(stored)
        return JSONResponse({"stored": count})

    async def _body(self, request: Request) -> bytes:
        limit = self._door.settings.max_body_bytes
        stated = request.headers.get("content-length", "")
        if stated.isdigit() and int(stated) > limit:
            raise self._door.too_large()
        pieces: list[bytes] = []
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise self._door.too_large()
            pieces.append(piece)
        return b"".join(pieces)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _refusal(status: int, code: int, message: str, kind: str, retry_after: int | None = None) -> Response:
    """A google.rpc.Status in the request's own encoding, as OTLP asks for."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if kind == PROTOBUF:
        body = status_protobuf(code, message, retry_after)
        return Response(body, status_code=status, headers=headers, media_type=PROTOBUF)
    body = json.dumps({"code": code, "message": message})
    return Response(body, status_code=status, headers=headers, media_type=JSON)
