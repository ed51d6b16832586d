"""Polling a system that does not push: pages into the inbox, and a cursor that says how far it was read.

A page is durable in the inbox before the cursor that lies behind it is saved, so a killed poll reads
its last page again: a poller writes equal bytes for equal rows, and landing keeps them once.
"""

import fcntl
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import orjson

from flywheel_assets.sources.segments import sync
from flywheel_assets.sources.spool import Form, Spool

State = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Page:
    """One batch as it will land, and the cursor that is true once it has.

    `payload` is one OTLP/JSON export request or protobuf one, or lines of posted feedback, as `form`
    says; empty where a page only moves the cursor. `rows` were read from the system for it; of these,
    `set_aside` counts by reason those that no batch can hold.
    """

    cursor: State
    payload: bytes = b""
    form: Form = "json"
    rows: int = 0
    set_aside: Mapping[str, int] = field(default_factory=dict[str, int])


class Poller(Protocol):
    """One system that is read by asking. Raises SourceUnavailableError when it does not answer."""

    @property
    def name(self) -> str:
        """What landed_batches.source will say: lower-case letters, digits, underscores."""
        ...

    def poll(self, cursor: State) -> Iterator[Page]:
        """Pages of what is new behind `cursor`, which is empty at the very first poll, until there is no more."""
        ...


class SourceUnavailableError(Exception):
    """The system did not answer, or not as documented; the message says what to do."""


@dataclass(slots=True)
class Polled:
    """What one poll brought into the inbox."""

    pages: int = 0
    rows: int = 0
    batches: int = 0
    bytes: int = 0
    set_aside: dict[str, int] = field(default_factory=dict[str, int])


def collect(poller: Poller, inbox: Path, cursors: Path) -> Polled:
    """Poll from where the saved cursor is; returns when all is in the inbox and the cursor is saved.

    Two polls of one source run one after the other. Raises what the poller raises, and
    SpoolRefusedError; what was stored before then stays, with its cursor.
    """
    done = Polled()
    with _alone(cursors, poller.name):
        spool = Spool(inbox)
        try:
            for page in poller.poll(read_cursor(cursors, poller.name)):
                spool.append(page.payload, page.form, poller.name)
                save_cursor(cursors, poller.name, page.cursor)
                done.pages += 1
                done.rows += page.rows
                done.batches += bool(page.payload)
                done.bytes += len(page.payload)
                for reason, count in page.set_aside.items():
                    done.set_aside[reason] = done.set_aside.get(reason, 0) + count
        finally:
            spool.close()
    return done


def read_cursor(cursors: Path, name: str) -> State:
    """The saved cursor; empty where nothing was ever read.

    Raises ValueError when the file is not ours: without it everything would be read again, which is
    the operator's to decide.
    """
    path = cursors / f"{name}.json"
    if not path.exists():
        return {}
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{path} is damaged ({error}): delete it to read {name} from the beginning") from error
    if not isinstance(found, dict):
        raise TypeError(f"{path} holds no cursor: delete it to read {name} from the beginning")
    return found


def save_cursor(cursors: Path, name: str, cursor: State) -> None:
    """Replace the cursor file in one step, durably."""
    path, beside = cursors / f"{name}.json", cursors / f".{name}.json"
    with beside.open("wb") as written:
        written.write(orjson.dumps(cursor, option=orjson.OPT_SORT_KEYS))
        written.flush()
        os.fsync(written.fileno())
    beside.replace(path)
    sync(cursors)


@contextmanager
def _alone(cursors: Path, name: str) -> Generator[None]:
    cursors.mkdir(parents=True, exist_ok=True)
    with (cursors / f".{name}.lock").open("a") as lock:
        # The kernel lets go of it when its holder dies.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
