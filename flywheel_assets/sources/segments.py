"""Names of the inbox files that this package writes itself, and whether their writer is done.

A segment is `<source>-<UTC time>-<token><suffix>`; any other file in the inbox belongs to somebody
else. The writer holds an exclusive lock for as long as it may append, and the kernel releases it
when the writer dies, so an unlocked segment is finished however it came to be so.
"""

import fcntl
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

_NAME = re.compile(
    r"(?P<source>[a-z0-9_]+)-(?P<stamp>\d{8}T\d{12}Z)-(?P<token>[0-9a-f]{16})(?P<suffix>(\.[a-z]+)+)",
)

# Files that came whole through `ingest`, rather than from a door that acknowledges batches.
FILES = "files"


@dataclass(frozen=True, slots=True)
class SegmentName:
    """The parts of a segment's name. `source` is what landed_batches.source will say."""

    source: str
    at: datetime
    token: str
    suffix: str

    def __str__(self) -> str:
        return f"{self.source}-{self.at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z-{self.token}{self.suffix}"

    @property
    def landing_file(self) -> str:
        """Where it lies under the landing folder."""
        return f"{self.at.astimezone(UTC):%Y%m%d}/{self}"

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """The parts of `name`, or None where it is not a segment of ours."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        at = datetime.strptime(found["stamp"], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
        return cls(found["source"], at, found["token"], found["suffix"])


def is_feedback(name: str) -> bool:
    """Whether a file of this name holds posted feedback rather than traces."""
    return ".feedback" in name


def is_finished(path: Path) -> bool:
    """Whether no writer holds the segment any more."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def sync(path: Path) -> None:
    """Make a file's bytes durable, or the names that were added to, or removed from, a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
