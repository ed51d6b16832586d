"""`Foreign`: a form of recorded telemetry that is not OTLP, and what is read out of it.

Each form is a module of `imports/` (exports of other systems) or `transcripts/` (coding agents'
sessions) that holds one `FORM`; it is told from a file's content, whatever the file is called.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import orjson

from flywheel_assets.sources import imports, transcripts
from flywheel_assets.tables.documents.feedback import PostedFeedback


@dataclass(frozen=True, slots=True)
class Record:
    """One value of a file, or in `fault` why there is none; `where` says at what place, `at` when it was written."""

    where: str
    value: object = None
    fault: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """What could not be read, why, and as much of it as may be kept."""

    where: str
    reason: str
    record: object = None

    @property
    def line(self) -> bytes:
        """A line that landing sets aside with this reason."""
        told = {"where": self.where, "reason": self.reason, "record": self.record}
        try:
            return orjson.dumps({"flywheelSetAside": told}, default=str, option=orjson.OPT_NON_STR_KEYS)
        except orjson.JSONEncodeError:
            return orjson.dumps({"flywheelSetAside": {**told, "record": None}})


# An OTLP/JSON export request on one line, a statement, or what was set aside.
Piece = bytes | PostedFeedback | Refused


@dataclass(frozen=True, slots=True)
class Foreign:
    """A form: `recognises` looks at a file's first values, `read` turns all of them into pieces.

    `read` gets whether message content may be kept, and with `dated` when the file was last written.
    """

    name: str
    recognises: Callable[[Sequence[object]], bool]
    read: Callable[[Iterable[Record], bool], Iterator[Piece]]
    dated: bool = False


@cache
def forms() -> tuple[Foreign, ...]:
    """Every form of both folders, by name."""
    found = [
        import_module(f"{package.__name__}.{module.name}").FORM
        for package in (imports, transcripts)
        for module in iter_modules(package.__path__)
    ]
    return tuple(sorted(found, key=lambda form: form.name))


def recognise(values: Sequence[object]) -> Foreign | None:
    """The form of a file that begins with these values."""
    return next((form for form in forms() if form.recognises(values)), None)
