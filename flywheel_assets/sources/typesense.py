"""A system bus's events in a Typesense collection, by their own time.

Windows of time are half open, so events of one millisecond are never parted. What is much is exported
by filter; what is little is read in ordered pages, and exported after all where the pages moved
meanwhile. Time of arrival is not kept there: an event that comes later than `late` behind others is
missed, and is found where the events are stored first.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import typesense
from typesense.exceptions import TypesenseClientError

from flywheel_assets.sources.bus_pages import Document, Seen, pages
from flywheel_assets.sources.cursor import Page, SourceUnavailableError, State

LATE = timedelta(minutes=30)
# The most that a page of a search can hold, and how many pages are still better than an export.
PER_PAGE, PAGES = 250, 8
EXPORT_AT_ONCE = 20_000
LEFT_OUT = "search_text"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Typesense:
    """The server's address, with a port or a known scheme; the key is only ever sent."""

    url: str
    api_key: str = field(repr=False)
    collection: str = "otel_events"
    late: timedelta = LATE
    export_at_once: int = EXPORT_AT_ONCE
    pages_at_most: int = PAGES
    now: Callable[[], datetime] = _now
    name: str = field(default="typesense", init=False)

    def poll(self, cursor: State) -> Iterator[Page]:
        """Events behind the cursor, and late ones before it."""
        try:
            with warnings.catch_warnings():
                # Whatever is asked of it, the client also makes parts of itself that it deprecates.
                warnings.filterwarnings("ignore", r"Sync\w+ is deprecated on v30", DeprecationWarning)
                client = self._client()
                documents = client.collections[self.collection].documents
            with closing(client.api_call):
                yield from self._poll(documents, cursor)
        except (TypesenseClientError, httpx.HTTPError) as error:
            raise SourceUnavailableError(
                f"Typesense at {self.url}: {error}; check TYPESENSE_URL, TYPESENSE_API_KEY "
                f"and that there is a collection {self.collection}"
            ) from error

    def _poll(self, documents: Any, cursor: State) -> Iterator[Page]:  # noqa: ANN401 - the client's types lack fields
        kept = cursor.get("timestamp_ms")
        known = kept if isinstance(kept, int) else None
        ends = [_search(documents, "", f"timestamp:{order}", per_page=1)["hits"] for order in ("asc", "desc")]
        if not ends[0] or not ends[1]:
            return
        oldest, newest = (_time(hits[0]["document"]) for hits in ends)
        late = self.late // timedelta(milliseconds=1)
        start = oldest if known is None else known - late
        read, seen, before = known or oldest, Seen(cursor.get("seen")), cursor
        # One clock that runs ahead must not take the cursor past everybody else's events.
        latest = int(self.now().timestamp() * 1000)
        for first, last, found in self._windows(documents, start, newest + 1):
            fresh = seen.fresh(found, _time)
            read = max(read, min(max(map(_time, found)), latest))
            state = {"timestamp_ms": read, "seen": seen.since(read - late)}
            if fresh:
                yield from pages(fresh, before, state, f"{self.collection}, {first} to {last}: document")
                before = state

    def _windows(self, documents: Any, first: int, last: int) -> Iterator[tuple[int, int, list[Document]]]:  # noqa: ANN401
        """Windows from `first` on to before `last` that hold something, in order, with what they hold."""
        where = f"timestamp:>={first} && timestamp:<{last}"
        count = int(_search(documents, where, "timestamp:asc", per_page=0)["found"])
        if not count:
            return
        if count > self.export_at_once and last - first > 1:
            middle = (first + last) // 2
            yield from self._windows(documents, first, middle)
            yield from self._windows(documents, middle, last)
            return
        few = count <= PER_PAGE * self.pages_at_most
        found = (_paged(documents, where) if few else None) or _exported(documents, where)
        if found:
            yield first, last, found

    def _client(self) -> typesense.Client:
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        node = {"host": parts.hostname or "", "port": port, "protocol": parts.scheme, "path": parts.path.rstrip("/")}
        return typesense.Client({"nodes": [node], "api_key": self.api_key, "connection_timeout_seconds": 60})  # pyright: ignore[reportArgumentType]


def _paged(documents: Any, where: str) -> list[Document] | None:  # noqa: ANN401 - as above
    """All of the window in order; None where it changed while it was read."""
    found: dict[str, Document] = {}
    for page in range(1, PAGES + 2):
        answer = _search(documents, where, "timestamp:asc", per_page=PER_PAGE, page=page)
        found |= {str(hit["document"]["id"]): hit["document"] for hit in answer["hits"]}
        if len(answer["hits"]) < PER_PAGE:
            return list(found.values()) if len(found) == answer["found"] else None
    return None


def _exported(documents: Any, where: str) -> list[Document]:  # noqa: ANN401 - as above
    lines = documents.export({"filter_by": where, "exclude_fields": LEFT_OUT})
    text = lines.decode() if isinstance(lines, bytes) else lines
    return sorted((orjson.loads(line) for line in text.splitlines() if line), key=lambda one: (_time(one), one["id"]))


def _search(documents: Any, where: str, order: str, per_page: int, page: int = 1) -> Any:  # noqa: ANN401 - as above
    asked = {"q": "*", "query_by": "action", "sort_by": order, "per_page": per_page, "page": page}
    return documents.search(asked | {"exclude_fields": LEFT_OUT} | ({"filter_by": where} if where else {}))


def _time(document: Document) -> int:
    value = document.get("timestamp")
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
