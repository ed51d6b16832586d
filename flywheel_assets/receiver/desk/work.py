"""What a queue shows and takes: values that know nothing of pages, nor of what is behind them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that a person may give; `key` presses it on the item in focus."""

    verb: str
    label: str
    key: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to answer: a title, facts in a line each, longer texts, and the answers that fit.

    `correctable`: what it should have been may be written beside the answer.
    """

    id: str
    title: str
    choices: tuple[Choice, ...]
    facts: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    correctable: bool = False

    @property
    def waits(self) -> bool:
        """Whether it asks for an answer; what can only be undone or ended goes on without one."""
        return not all(choice.grave for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Page:
    """The items of a queue that are shown; `parts`: what the queue can be narrowed to, with counts."""

    items: tuple[Item, ...]
    parts: tuple[tuple[str, int], ...] = ()

    @property
    def total(self) -> int:
        """How many there are, shown or not."""
        return sum(count for _, count in self.parts) or len(self.items)


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said of an item."""

    item: str
    verb: str
    by: str
    comment: str | None = None
    correction: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue by name. `listed` is given the part that is wanted, '' for all.

    `take` writes the word down, says what follows, and raises UnfitError where it cannot be taken.
    """

    name: str
    title: str
    purpose: str
    listed: Callable[[str], Page]
    take: Callable[[Word], str]


class UnfitError(Exception):
    """A word that cannot be taken, e.g. because somebody else answered first."""


Queues = Mapping[str, Queue]
