"""Days of a table (or the whole of one) replaced by other rows: written first, then all in one commit.

Whoever computed a day writes its files, perhaps in another process; one process commits them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from deltalake import Transaction
from deltalake.transaction import AddAction

from flywheel_assets.lake import files, log
from flywheel_assets.lake.files import Part
from flywheel_assets.lake.fingerprint import fingerprint
from flywheel_assets.lake.log import Change
from flywheel_assets.lake.newest import Newest
from flywheel_assets.tables.table import Table


@dataclass(frozen=True, slots=True)
class Written:
    """One write: the table's version after it, the rows written, and their fingerprint."""

    table: str
    day: date | None
    version: int
    rows: int
    fingerprint: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Fresh:
    """What shall be the rows of a day (None: of the whole table), and what they were computed from.

    `inputs` stamps that (see `Lake.stamps`): fifteen hex digits, and fifteen more for `concern` where only some of the
    rows of other days do. `content` is the rows' fingerprint where it is known; rows that come in parts, which are
    made by those of the `threads` that write them, have to bring one.
    """

    day: date | None
    rows: pa.Table | Iterator[Part]
    inputs: str = ""
    content: str | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """Rows that wait, in files which nobody sees, to be those of a day.

    `before` are the bytes of the day's files by then, `after` the files that are to take their place: None where
    other inputs gave the rows that are there already.
    """

    day: date | None
    content: str
    inputs: str
    changed: bool
    before: dict[str, int]
    after: list[AddAction] | None

    @property
    def size(self) -> int:
        """Bytes that were written."""
        return sum(one.size for one in self.after or ())

    def change(self) -> Change:
        """What becomes of the day, and what the log shall note of it."""
        noted = [
            Transaction(log.key("inputs", self.day), _number(self.inputs)),
            Transaction(log.key("content", self.day), int(self.content, 16)),
        ]
        if self.inputs[15:]:
            noted.append(Transaction(log.key("concern", self.day), int(self.inputs[15:], 16)))
        return Change(self.before, self.after, noted)


def prepare(newest: Newest, table: Table, fresh: Fresh) -> Ready:
    """Write the rows of a table that is there. They are nobody's until they are committed."""
    count, parts, content, threads = None, fresh.rows, fresh.content, fresh.threads or files.WRITERS
    if isinstance(parts, pa.Table):
        rows = table.conform(parts)
        count, parts, content = len(rows), files.parts(rows), content or fingerprint(rows)
        threads = 1 if count <= files.GROUP_ROWS else threads
    elif content is None:
        message = f"{table.name}: parts need their fingerprint"
        raise ValueError(message)
    noted, opened = newest.notes(), newest.existing()
    changed = noted.get(log.key("content", fresh.day)) != int(content, 16)
    # A day that is computed again from the same inputs is written: that is how damaged files are mended.
    mended = noted.get(log.key("inputs", fresh.day)) == _number(fresh.inputs)
    before, after = log.sizes(opened).get(fresh.day, {}), None
    if changed or mended or log.rows(opened)[fresh.day] != count:
        after = files.write(files.store(newest.uri, newest.storage_options), table, fresh.day, parts, threads)
    return Ready(fresh.day, content, fresh.inputs, changed, before, after)


def commit(newest: Newest, table: Table, ready: Sequence[Ready]) -> list[Written]:
    """Let the days have what is ready, all at once.

    Raises CommitFailedError when a day has been written by another since, unless from the same inputs.
    """
    opened = newest.existing()
    log.replace(opened, {one.day: one.change() for one in ready})
    rows = log.rows(opened)
    return [Written(table.name, one.day, opened.version(), rows[one.day], one.content, one.changed) for one in ready]


def _number(stamp: str) -> int:
    return int(stamp[:15] or "0", 16)
