"""What pollers of a system bus's events share: pages out of documents, and documents read before left out.

A window behind the cursor is read again at each poll, because what is late shows up there. Its ids are
kept in the cursor, so that a poll that finds nothing new brings nothing, and no storm is counted twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from flywheel_assets.sources.bus_event import digest
from flywheel_assets.sources.cursor import Page, State
from flywheel_assets.sources.system_bus import NO_TIME, convert

Document = Mapping[str, object]


def pages(documents: Iterable[Document], before: State, after: State, where: str) -> Iterator[Page]:
    """What cannot be read, a page each, then all else; only with the last has the cursor moved."""
    found = convert(documents, where)
    for refused in found.refused:
        yield Page(before, refused.line, rows=1, set_aside={refused.reason: 1})
    timeless = {NO_TIME: found.timeless} if found.timeless else {}
    yield Page(after, found.payload, rows=found.documents - len(found.refused), set_aside=timeless)


class Seen:
    """Ids in the window that is read again, each with its place in the order of reading."""

    def __init__(self, kept: object) -> None:
        self._places: dict[str, int] = {}
        if isinstance(kept, dict):
            self._places = {str(key): int(place) for key, place in kept.items() if isinstance(place, int)}

    def fresh(self, documents: Iterable[Document], place: Callable[[Document], int]) -> list[Document]:
        """The documents that were not seen, which now are."""
        new: list[Document] = []
        for document in documents:
            # One without an id is known by all of it.
            name = digest(str(document.get("id") or sorted(map(str, document.items()))))[:16]
            if name not in self._places:
                self._places[name] = place(document)
                new.append(document)
        return new

    def since(self, place: int) -> dict[str, int]:
        """What to keep: ids from `place` on."""
        self._places = {name: at for name, at in self._places.items() if at >= place}
        return dict(self._places)
