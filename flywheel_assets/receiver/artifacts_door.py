"""What agents load, served: `GET /v1/artifacts/{channel}` and the files that its pointer leads to.

An agent's client takes `<receiver>/v1/artifacts` for an artifacts folder. The entity tag is the hash
of the bytes; with `If-None-Match` and `?wait=<seconds>` the answer waits for a change (long poll).
"""

import asyncio
import hashlib
import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flywheel_assets.receiver.door import Door, RefusedError

PATH = "/v1/artifacts/{name:path}"
# What is published; nothing else below the folder is anybody's business.
SERVED = re.compile(r"(channels|routing|schema|exports)/[^/]+|prompts/[^/]+/[^/]+")
CHANNEL = re.compile(r"[A-Za-z0-9_-]+")
LONGEST_WAIT = 60.0
EVERY = 0.25


class ArtifactsDoor:
    """Reads the folder for each request: what is published is visible at once."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._waiting = 0

    async def get(self, request: Request) -> Response:
        """GET /v1/artifacts/…: a file with its entity tag, 304 where it is still the one that is known."""
        try:
            self._door.authenticate(request.headers.get("authorization"))
        except RefusedError as error:
            return JSONResponse({"error": error.message}, 401, headers={"WWW-Authenticate": "Bearer"})
        file = self._file(request.path_params["name"])
        if file is None:
            return JSONResponse({"error": "nothing of that name is published"}, 404)
        known = request.headers.get("if-none-match", "")
        content = await asyncio.to_thread(_content, file)
        left = _seconds(request.query_params.get("wait", "0"))
        # Waiting requests hold no thread, only a place; beyond the limit they are answered at once.
        if left and self._waiting < self._door.settings.max_concurrent:
            content = await self._changed(request, file, content, known, left)
        if content is None:
            return JSONResponse({"error": "nothing of that name is published"}, 404)
        headers = {"ETag": _tag(content), "Cache-Control": "no-cache"}
        if known == _tag(content):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type="application/json" if file.suffix == ".json" else None)

    async def _changed(
        self, request: Request, file: Path, content: bytes | None, known: str, seconds: float
    ) -> bytes | None:
        """The content when it differs from what is known, or as it is when the time is over."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        self._waiting += 1
        try:
            while (content is None or known == _tag(content)) and loop.time() < end:
                await asyncio.sleep(EVERY)
                if await request.is_disconnected():
                    break
                content = await asyncio.to_thread(_content, file)
        finally:
            self._waiting -= 1
        return content

    def _file(self, name: str) -> Path | None:
        """The file that a name means; None where none may be read by it."""
        named = f"channels/{name}.json" if CHANNEL.fullmatch(name) else name
        parts = named.split("/")
        if not SERVED.fullmatch(named) or any(part.startswith(".") or "\\" in part for part in parts):
            return None
        return self._door.settings.artifacts.joinpath(*parts)


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _seconds(said: str) -> float:
    try:
        wanted = float(said)
    except ValueError:
        return 0.0
    return min(wanted, LONGEST_WAIT) if wanted > 0 else 0.0
