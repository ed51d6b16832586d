"""Where artifacts come from: a folder, or the same files behind a web server."""

from collections.abc import Mapping
from os import path, stat
from typing import Protocol


class Source(Protocol):
    """Reads the channel's pointer when it changed, and any file that it leads to."""

    def changed(self, stamp: object) -> tuple[bytes, object] | None:
        """The pointer and its new stamp; None while it is still the one with `stamp`."""
        ...

    def read(self, name: str) -> bytes:
        """A file of the artifacts folder. Raises OSError where there is none."""
        ...


class Folder:
    """An artifacts folder; the pointer's stamp is what the file system says of it."""

    def __init__(self, folder: str, channel: str) -> None:
        self._folder = folder
        self._pointer = path.join(folder, "channels", f"{channel}.json")  # noqa: PTH118 - pathlib costs import time

    def changed(self, stamp: object) -> tuple[bytes, object] | None:
        """The pointer, if it was replaced: time, size or inode differ."""
        status = stat(self._pointer)  # noqa: PTH116
        now = (status.st_mtime_ns, status.st_size, status.st_ino)
        return None if now == stamp else (_contents(self._pointer), now)

    def read(self, name: str) -> bytes:
        """A file below the folder."""
        return _contents(path.join(self._folder, *_parts(name)))  # noqa: PTH118


class Web:
    """The artifacts folder served over HTTP; the pointer's stamp is its ETag."""

    def __init__(self, url: str, channel: str, token: str | None, timeout: float) -> None:
        self._url = url.rstrip("/")
        self._pointer = f"channels/{channel}.json"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout = timeout

    def changed(self, stamp: object) -> tuple[bytes, object] | None:
        """The pointer, if the server does not say 304. Without ETags its bytes are the stamp."""
        known = {"If-None-Match": stamp} if isinstance(stamp, str) else {}
        content, etag = self._get(self._pointer, known)
        if content is None:
            return None
        now = etag or content
        return None if now == stamp else (content, now)

    def read(self, name: str) -> bytes:
        """A file below the address."""
        content, _ = self._get(name, {})
        return content or b""

    def _get(self, name: str, headers: Mapping[str, str]) -> tuple[bytes | None, str | None]:
        # urllib takes longer to import than all the rest of the client.
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.parse import quote
        from urllib.request import Request, urlopen

        address = "/".join([self._url, *(quote(part, safe="") for part in _parts(name))])
        request = Request(address, headers={**self._headers, **headers})  # noqa: S310 - `source_at` lets only http(s) in
        try:
            with urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                return answer.read(), answer.headers.get("ETag")
        except HTTPError as error:
            with error:
                if error.code == 304:
                    return None, None
            raise
        except HTTPException as error:
            raise OSError(f"{address}: {error!r}") from error


def source_at(place: str, channel: str, token: str | None, timeout: float) -> Source:
    """The source at a folder or an http(s) address."""
    if place.startswith(("http://", "https://")):
        return Web(place, channel, token, timeout)
    return Folder(place.removeprefix("file://"), channel)


def _parts(name: str) -> list[str]:
    """A relative name's parts. Raises ValueError where it leads out of the folder."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{name!r} is not a file of the artifacts folder")
    return parts


def _contents(file: str) -> bytes:
    with open(file, "rb") as opened:  # noqa: PTH123
        return opened.read()
