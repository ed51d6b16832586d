"""`POST /observability/emit`: one event of a system bus, taken in the words its workers already speak.

The token header, the body and the answers are the bus's own, so a worker is pointed here by its settings
alone. Nothing is passed on from here: a worker that only forwards has no other store for its events.
"""

import asyncio
import hmac

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from flywheel_assets.receiver.door import Door, RefusedError
from flywheel_assets.sources.bus_event import is_event
from flywheel_assets.sources.spool import SpoolRefusedError

PATH = "/observability/emit"
TOKEN_HEADER = "x-otel-emit-token"  # noqa: S105 - a header's name
SOURCE = "system_bus"
MAX_EVENT_BYTES = 1024 * 1024
NEEDED = "an event is a JSON object with source, component, action and timestamp (ms since 1970)"


class EmitDoor:
    """The route, on the receiver's spool for events."""

    def __init__(self, door: Door) -> None:
        self._door = door
        token = door.settings.emit_token
        self._token = None if token is None else token.get_secret_value().encode()

    async def emit(self, request: Request) -> Response:
        """Answer once the event is durable."""
        try:
            self._authenticate(request)
            event, line = _read(await _body(request))
            await asyncio.wrap_future(self._door.events.submit(line, "json", SOURCE))
        except RefusedError as error:
            status = {"unauthenticated": 401, "too large": 413}.get(error.fault, 400)
            said = {"error": "Unauthorized" if status == 401 else "Invalid payload", "detail": error.message}
            return JSONResponse(said, status)
        except SpoolRefusedError as error:
            said = {"ok": False, "error": str(error), "result": {"stored": False}}
            return JSONResponse(said, 503, {"Retry-After": str(error.retry_after)})
        except ClientDisconnect:
            return Response(status_code=400)
        return JSONResponse({"ok": True, "result": {"stored": True, "eventId": event.get("id")}})

    def _authenticate(self, request: Request) -> None:
        if self._token is None:
            # No token of its own: whoever may send spans may send events.
            self._door.authenticate(request.headers.get("authorization"))
        elif not hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), self._token):
            raise RefusedError("unauthenticated", f"send the header '{TOKEN_HEADER}' with the right token")


async def _body(request: Request) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_EVENT_BYTES:
            raise RefusedError("too large", f"more than {MAX_EVENT_BYTES} bytes for one event")
        pieces.append(piece)
    return b"".join(pieces)


def _read(body: bytes) -> tuple[dict[str, object], bytes]:
    try:
        event = msgspec.json.decode(body)
        line = msgspec.json.format(body, indent=-1)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError("malformed", f"not JSON: {error}") from error
    if not isinstance(event, dict) or not is_event(event):
        raise RefusedError("malformed", NEEDED)
    moment = event.get("timestamp")
    if isinstance(moment, bool) or not isinstance(moment, int | float) or moment <= 0:
        raise RefusedError("malformed", NEEDED)
    return event, line
