"""Days of a table (or the whole of one) replaced by other rows, several in one commit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from deltalake import Transaction

from flywheel_assets.lake import files, log
from flywheel_assets.lake.files import Part
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
    """What shall be the rows of a day (None: of the whole table), in parts; how many, where it is known before.

    `content` is their fingerprint, `inputs` the stamp of what they were computed from.
    """

    day: date | None
    parts: Iterator[Part]
    count: int | None
    content: str
    inputs: str

    def noted(self) -> list[Transaction]:
        """What the log shall note of the day."""
        noted = [
            Transaction(log.key("inputs", self.day), _number(self.inputs)),
            Transaction(log.key("content", self.day), int(self.content, 16)),
        ]
        if self.inputs[15:]:
            noted.append(Transaction(log.key("concern", self.day), int(self.inputs[15:], 16)))
        return noted


def overwrite(newest: Newest, table: Table, fresh: Sequence[Fresh]) -> list[Written]:
    """Let the rows of those days of a table that is there be the fresh ones, all in one commit.

    Where other inputs gave the rows that are there already, that is noted and no file is written.
    """
    before, opened = newest.notes(), newest.existing()
    sizes, rows = log.sizes(opened), log.rows(opened)
    changed = {one.day: before.get(log.key("content", one.day)) != int(one.content, 16) for one in fresh}
    going = [one for one in fresh if changed[one.day] or rows[one.day] != one.count or _same_inputs(one, before)]
    written = files.write(newest.uri, newest.storage_options, table, {one.day: one.parts for one in going})
    log.replace(
        opened,
        {one.day: Change(sizes.get(one.day, {}), written.get(one.day), one.noted()) for one in fresh},
    )
    rows = log.rows(opened)
    return [
        Written(table.name, one.day, opened.version(), rows[one.day], one.content, changed[one.day]) for one in fresh
    ]


def _same_inputs(one: Fresh, before: Mapping[str, int]) -> bool:
    """A day that is computed again from the same inputs is written: that is how damaged files are mended."""
    return before.get(log.key("inputs", one.day)) == _number(one.inputs)


def _number(stamp: str) -> int:
    return int(stamp[:15] or "0", 16)
