"""The desk's pages over HTTP: log in, look at a queue, answer, log out. They work without a script."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from flywheel_assets.receiver.desk.session import COOKIE, LASTS_SECONDS, Session, Sessions, name_of
from flywheel_assets.receiver.desk.work import Queue, Queues, UnfitError, Word
from flywheel_assets.receiver.settings import is_loopback

PATH = "/desk"
HERE = Path(__file__).parent
LONGEST_FORM = 64 * 1024
# Words that were taken and not acted upon yet, so that nobody answers twice.
REMEMBERED = 1000
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
Handler = Callable[[Request, Session], Awaitable[Response]]


class Desk:
    """The pages of these queues, for whoever shows the token."""

    def __init__(self, queues: Queues, token: str | None) -> None:
        self._queues = queues
        self._guarded = token is not None
        self._sessions = Sessions(token)
        self._said: dict[tuple[str, str], str] = {}
        surroundings = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
        self._template = surroundings.get_template("page.html.jinja")

    def routes(self) -> list[Route]:
        """To be added to the receiver's."""
        return [
            Route(PATH, self._for_known(self._overview), methods=["GET"]),
            Route(f"{PATH}/login", self._login, methods=["POST"]),
            Route(f"{PATH}/logout", self._for_known(self._logout), methods=["POST"]),
            Route(f"{PATH}/style.css", _static("style.css"), methods=["GET"]),
            Route(f"{PATH}/keys.js", _static("keys.js"), methods=["GET"]),
            Route(f"{PATH}/{{queue}}", self._for_known(self._queue), methods=["GET"]),
            Route(f"{PATH}/{{queue}}", self._for_known(self._answer), methods=["POST"]),
        ]

    def _for_known(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            session = self._sessions.session(request.cookies.get(COOKIE, ""), time.time())
            if not self._from_here(request):
                return self._page(403, fault="This request did not come from this page.")
            if session is None:
                return self._page(401)
            return await handler(request, session)

        return guarded

    def _from_here(self, request: Request) -> bool:
        """Not posted by another site, nor, where no token guards, reached by another site's name for this host."""
        host = request.headers.get("host", "")
        origin = request.headers.get("origin")
        if request.method == "POST" and origin is not None and urlsplit(origin).netloc != host:
            return False
        return self._guarded or is_loopback(urlsplit(f"//{host}").hostname or "")

    async def _login(self, request: Request) -> Response:
        form = await _form(request)
        name = name_of(form.get("name", ""))
        if not self._from_here(request):
            return self._page(403, fault="This request did not come from this page.")
        if not self._sessions.admits(form.get("token", "")):
            return self._page(401, fault="That is not the token.")
        if not name:
            return self._page(401, fault="Say who you are: it is kept with what you answer.")
        answer = RedirectResponse(PATH, 303, HEADERS)
        answer.set_cookie(
            COOKIE,
            self._sessions.cookie(name, time.time()),
            max_age=LASTS_SECONDS,
            path=PATH,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer

    async def _logout(self, request: Request, session: Session) -> Response:
        if (await _form(request)).get("form_token") != session.form_token:
            return self._page(403, session, fault="That form is not of this session.")
        answer = RedirectResponse(PATH, 303, HEADERS)
        answer.delete_cookie(COOKIE, path=PATH)
        return answer

    async def _overview(self, request: Request, session: Session) -> Response:  # noqa: ARG002 - a handler's signature
        found = await asyncio.gather(*(asyncio.to_thread(queue.listed, "") for queue in self._queues.values()))
        waiting = {
            name: page.total - sum((name, item.id) in self._said or not item.waits for item in page.items)
            for name, page in zip(self._queues, found, strict=True)
        }
        return self._page(200, session, waiting=waiting)

    async def _queue(self, request: Request, session: Session) -> Response:
        queue = self._queues.get(request.path_params["queue"])
        if queue is None:
            return self._page(404, session, fault="There is no such queue.")
        return await self._shown(queue, session, request.query_params.get("part", ""))

    async def _answer(self, request: Request, session: Session) -> Response:
        form, queue = await _form(request), self._queues.get(request.path_params["queue"])
        if form.get("form_token") != session.form_token:
            return self._page(403, session, fault="That form is not of this session.")
        if queue is None:
            return self._page(404, session, fault="There is no such queue.")
        comment, correction = (form.get(name, "").strip() or None for name in ("comment", "correction"))
        word = Word(form.get("item", ""), form.get("verb", ""), session.name, comment, correction)
        part = form.get("part", "")
        try:
            follows = await asyncio.to_thread(queue.take, word)
        except UnfitError as error:
            return await self._shown(queue, session, part, fault=str(error))
        if len(self._said) >= REMEMBERED:
            self._said.pop(next(iter(self._said)))
        self._said[queue.name, word.item] = f"{session.name}: {follows}"
        where = f"{PATH}/{queue.name}" + (f"?part={quote(part)}" if part else "")
        return RedirectResponse(f"{where}#{quote(word.item)}", 303, HEADERS)

    async def _shown(self, queue: Queue, session: Session, part: str, fault: str = "") -> Response:
        page = await asyncio.to_thread(queue.listed, part)
        said = {item.id: self._said.get((queue.name, item.id)) for item in page.items}
        return self._page(409 if fault else 200, session, queue=queue, page=page, part=part, said=said, fault=fault)

    def _page(self, status: int, session: Session | None = None, fault: str = "", **shown: object) -> Response:
        known = {"queue": None, "page": None, "part": "", "said": {}, "waiting": {}, **shown}
        words = self._template.render(
            desk=PATH, queues=self._queues, session=session, guarded=self._guarded, fault=fault, **known
        )
        return HTMLResponse(words, status, HEADERS)


def _static(file: str) -> Callable[[Request], Awaitable[Response]]:
    async def static(request: Request) -> Response:  # noqa: ARG001 - the framework's signature
        return FileResponse(HERE / file, headers=HEADERS | {"Cache-Control": "max-age=300"})

    return static


async def _form(request: Request) -> dict[str, str]:
    """The fields of a posted form; none of one that is too long or is no form."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_FORM:
            return {}
    fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}
