"""What a Delta table's log says (files, rows, application transactions), and one commit to it."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from weakref import ref

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from flywheel_assets.tables.table import DAY

# How often a commit is tried anew while other days are written.
TRIES = 100
# Day, path, bytes and rows of every file of a table, and the version at which it has them: asked for
# dozens of times a turn, and a third of what it takes to make a table a view.
Added = list[tuple[date | None, str, int, int]]
_ADDED: dict[int, tuple[ref[DeltaTable], int, Added]] = {}


@dataclass(frozen=True, slots=True)
class Change:
    """Of a day's files the bytes, `before`; the files that take their place (None: they stay); what is noted of it."""

    before: Mapping[str, int]
    after: Sequence[AddAction] | None
    noted: list[Transaction]

    def moves(self, day: date | None, now: int) -> list[AddAction | RemoveAction]:
        """Files that come and files that go, at `now` in ms."""
        if self.after is None:
            return []
        partition: dict[str, str | None] = {"day": day.isoformat()} if day else {}
        return [*self.after, *(RemoveAction(path, True, now, size, partition) for path, size in self.before.items())]


def commit(opened: DeltaTable, files: Sequence[AddAction | RemoveAction], transactions: list[Transaction]) -> None:
    """Files that come and files that go, as one commit on top of what `opened` saw; `opened` then stands at the result.

    It is refused when another commit since then has one of the transactions or takes one of the files.
    """
    opened.create_write_transaction(
        actions=list(files),
        # Overwriting would be refused for any commit of another day.
        mode="append",
        schema=opened.schema(),
        partition_by=opened.metadata().partition_columns,
        commit_properties=CommitProperties(app_transactions=transactions, max_commit_retries=20),
    )
    opened.update_incremental()


def replace(opened: DeltaTable, changes: Mapping[date | None, Change]) -> None:
    """Make each day's change (under None: the whole table's), all in one commit.

    Raises CommitFailedError when a day has been written by another since, unless from the same inputs.
    """
    now, left = int(time.time() * 1000), dict(changes)
    for tries in reversed(range(TRIES)):
        there = sizes(opened)
        for day in [day for day, change in left.items() if there.get(day, {}) != change.before]:
            if any(opened.transaction_version(one.app_id) != one.version for one in left[day].noted):
                message = f"{day or 'the table'} was written by another process at the same time: run again"
                raise CommitFailedError(message)
            # Another process was told to rebuild the same day and was quicker: its rows are these rows.
            del left[day]
        try:
            if left:
                moves = [move for day, change in left.items() for move in change.moves(day, now)]
                commit(opened, moves, [one for change in left.values() for one in change.noted])
        except CommitFailedError:
            # The engine takes any other day that was replaced meanwhile for a conflict.
            if not tries:
                raise
            opened.update_incremental()
        else:
            return


def note(opened: DeltaTable, transactions: list[Transaction]) -> None:
    """Note transactions and nothing else, whatever others write meanwhile."""
    for left in reversed(range(TRIES)):
        try:
            commit(opened, [], transactions)
        except CommitFailedError:
            if not left:
                raise
            opened.update_incremental()
        else:
            return


def key(what: str, day: date | None) -> str:
    """The application transaction under which something is noted of a day (None: of the whole)."""
    return what if day is None else f"{what}/{day.isoformat()}"


def noted(notes: Mapping[str, int], what: str, days: Iterable[date | None]) -> dict[date | None, str | None]:
    """What was last noted of each day, as fifteen hex digits; None where nothing was."""
    found = {day: notes.get(key(what, day)) for day in days}
    return {day: None if value is None else f"{value:015x}" for day, value in found.items()}


def files(opened: DeltaTable) -> list[tuple[date | None, str]]:
    """The table's Parquet files, relative to its root, each with the day it belongs to."""
    return [(day, path) for day, path, *_ in _added(opened)]


def sizes(opened: DeltaTable) -> dict[date | None, dict[str, int]]:
    """Bytes of each file that a day (None: the whole of a table that is not by day) has, by day."""
    found: dict[date | None, dict[str, int]] = {}
    for day, path, size, _ in _added(opened):
        found.setdefault(day, {})[path] = size
    return found


def rows(opened: DeltaTable) -> Counter[date | None]:
    """How many rows each day has, by the log alone."""
    found: Counter[date | None] = Counter()
    for day, _, _, count in _added(opened):
        found[day] += count
    return found


def _added(opened: DeltaTable) -> Added:
    """Day, path, bytes and rows of every file."""
    version, which = opened.version(), id(opened)
    known = _ADDED.get(which)
    if known is not None and known[0]() is opened and known[1] == version:
        return known[2]
    actions = pa.table(opened.get_add_actions(flatten=True))
    paths, *counts = (actions.column(name).to_pylist() for name in ("path", "size_bytes", "num_records"))
    by_day = "partition.day" in actions.column_names
    days = actions.column("partition.day").cast(DAY).to_pylist() if by_day else [None] * len(paths)
    found = list(zip(days, paths, *counts, strict=True))
    # Tables cannot be hashed, and a place in memory may be another table's later.
    _ADDED[which] = ref(opened, lambda _: _ADDED.pop(which, None)), version, found
    return found
