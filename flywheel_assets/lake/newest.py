"""A Delta table as it stands now: opened once, brought up to date when there is something new, with all its notes.

The engine looks notes (application transactions) up by name, and goes through the log for each: with a
month of days that was a third of finding out what is stale.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import Lock

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from deltalake.fs import DeltaStorageHandler
from pyarrow import parquet
from pyarrow.fs import FileSystem, FileType, PyFileSystem

LOG = "_delta_log"
_OF_DAY = re.compile(r"day=(\d{4}-\d{2}-\d{2})/")


@dataclass(slots=True)
class Newest:
    """The newest version of the table at `uri`, and what was noted in its log under any name."""

    uri: str
    storage_options: dict[str, str]
    _opened: DeltaTable | None = None
    _notes: dict[str, int] = field(default_factory=dict[str, int])
    _read: int = -1
    _reading: Lock = field(default_factory=Lock)

    def open(self) -> DeltaTable | None:
        """One object however often it is asked for, up to date each time; None where there is no table."""
        if self._opened is None:
            # In a folder one look tells; the engine takes longer to find nothing than to open a table.
            if "://" not in self.uri and not Path(self.uri, LOG).exists():
                return None
            try:
                self._opened = DeltaTable(self.uri, storage_options=self.storage_options or None)
            except TableNotFoundError:
                return None
        elif self._moved_on(self._opened.version()):
            self._opened.update_incremental()
        return self._opened

    def existing(self) -> DeltaTable:
        """`open` of a table that is there. Raises TableNotFoundError."""
        opened = self.open()
        if opened is None:
            raise TableNotFoundError(self.uri)
        return opened

    def notes(self) -> Mapping[str, int]:
        """What was noted last under each name: read from a checkpoint once, then commit by commit."""
        opened = self.open()
        if opened is None:
            return {}
        with self._reading:
            if opened.version() > self._read:
                files = self._store()
                if self._read < 0:
                    self._read_checkpoint(files)
                for number in range(self._read + 1, opened.version() + 1):
                    self._read_commit(files, number)
            return self._notes

    def changed_days(self, since: int) -> set[date] | None:
        """Days of which a commit after version `since` added or removed files; None where one cannot be read."""
        opened, store, found = self.open(), self._store(), set[date]()
        if opened is None or opened.version() < since:
            # Another table is in its place, or an older state of it was put back.
            return None
        for number in range(since + 1, opened.version() + 1):
            try:
                lines = _bytes(store, _commit(number)).splitlines()
            except FileNotFoundError:
                return None
            for line in lines:
                if line.startswith((b'{"add"', b'{"remove"')):
                    day = _OF_DAY.match(next(iter(json.loads(line).values()))["path"])
                    if day is None:
                        return None
                    found.add(date.fromisoformat(day[1]))
        return found

    def _store(self) -> FileSystem:
        return PyFileSystem(DeltaStorageHandler(self.uri, self.storage_options or None))

    def _moved_on(self, version: int) -> bool:
        """Whether there may be a commit after that version. In a folder one look at its name tells."""
        return "://" in self.uri or Path(self.uri, LOG, f"{version + 1:020}.json").exists()

    def _read_checkpoint(self, files: FileSystem) -> None:
        newest = f"{LOG}/_last_checkpoint"
        if not _exists(files, newest):
            return
        number = int(json.loads(_bytes(files, newest))["version"])
        path = f"{LOG}/{number:020}.checkpoint.parquet"
        # Other engines may split a checkpoint up: then all commits are read.
        if _exists(files, path):
            with files.open_input_file(path) as file:
                noted = parquet.read_table(file, columns=["txn"]).column("txn").to_pylist()
            self._notes = {one["appId"]: one["version"] for one in noted if one and one["appId"]}
            self._read = number

    def _read_commit(self, files: FileSystem, number: int) -> None:
        for line in _bytes(files, _commit(number)).splitlines():
            if line.startswith(b'{"txn"'):
                noted = json.loads(line)["txn"]
                self._notes[noted["appId"]] = noted["version"]
        self._read = number


def _commit(number: int) -> str:
    return f"{LOG}/{number:020}.json"


def _exists(files: FileSystem, path: str) -> bool:
    return files.get_file_info(path).type != FileType.NotFound


def _bytes(files: FileSystem, path: str) -> bytes:
    with files.open_input_file(path) as file:
        return file.read()
