"""Rows → Parquet files under a table, several at once, each with what the log shall say of it.

The engine's own writer encodes a whole stream on one thread, which took half of decoding's time.
Here each thread makes the rows that it writes: none are waiting in memory.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from threading import BoundedSemaphore, Lock
from uuid import uuid4

import pyarrow as pa
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction
from pyarrow import parquet
from pyarrow.fs import FileSystem, LocalFileSystem, PyFileSystem, SubTreeFileSystem

from flywheel_assets.lake.processes import PROCESSORS
from flywheel_assets.tables.table import Table

WRITERS = min(4, PROCESSORS)
# Several writes may be under way: more rows at a time than processors only fill the memory.
_PROCESSORS = BoundedSemaphore(WRITERS)
# A row group is what one thread encodes at once: few rows compress badly, many bytes fill the memory.
GROUP_ROWS, GROUP_BYTES = 2**15, 64 * 2**20
# Readers may skip a file by its least and greatest text; the start of a long text is enough for the least.
TOLD_TEXT = 32


# Gives some of the rows when it is called, by the thread that writes them.
Part = Callable[[], pa.Table]


def parts(data: pa.Table) -> Iterator[Part]:
    """The rows in groups."""
    return (partial(data.slice, start, GROUP_ROWS) for start in range(0, len(data), GROUP_ROWS))


def write(folder: FileSystem, table: Table, day: date | None, rows: Iterator[Part], threads: int) -> list[AddAction]:
    """Write the day's rows (None: rows of no day) into the table's folder as up to so many files, each by a thread.

    Nobody sees them before a commit. Raises what the parts raise; what was written then is deleted.
    """
    written = _Written(folder, table, day, rows)
    with ExitStack() as undo:
        undo.callback(written.delete)
        if threads == 1:
            written.write_some()
        else:
            with ThreadPoolExecutor(threads) as pool:
                working = [pool.submit(written.write_some) for _ in range(threads)]
            for done in working:
                done.result()
        undo.pop_all()
    return written.actions


def store(uri: str, storage_options: dict[str, str]) -> FileSystem:
    """The folder of a table, to write files into."""
    if "://" in uri:
        return PyFileSystem(DeltaStorageHandler(uri, storage_options or None))
    # Bytes then do not pass through Python on their way to the disk.
    return SubTreeFileSystem(str(Path(uri).absolute()), LocalFileSystem())


@dataclass(slots=True)
class _Written:
    """Files of one write, each written by one thread."""

    files: FileSystem
    table: Table
    day: date | None
    rows: Iterator[Part]
    actions: list[AddAction] = field(default_factory=list[AddAction])
    _paths: list[str] = field(default_factory=list[str])
    _taking: Lock = field(default_factory=Lock)

    def write_some(self) -> None:
        """Write a file of the rows that no other thread takes, if there are any."""
        with _PROCESSORS:
            group = self._next()
        if group is not None:
            self._write(group)

    def _write(self, group: pa.Table) -> None:
        partition: dict[str, str | None] = {"day": self.day.isoformat()} if self.day else {}
        path = "/".join([*(f"{name}={value}" for name, value in partition.items()), f"{uuid4()}.lz4.parquet"])
        self._paths.append(path)
        described: list[parquet.FileMetaData] = []
        if self.day:
            self.files.create_dir(path.rpartition("/")[0])
        with self.files.open_output_stream(path) as sink:
            with _writer(sink, group.schema, self.table, described) as writer:
                while group is not None:
                    with _PROCESSORS:
                        writer.write_table(group, row_group_size=len(group))
                        group = self._next()
            size = sink.tell()
        told = json.dumps(stats(described[0]))
        self.actions.append(AddAction(path, size, partition, int(time.time() * 1000), data_change=True, stats=told))

    def delete(self) -> None:
        """Delete what was written."""
        for path in self._paths:
            self.files.delete_file(path)

    def _next(self) -> pa.Table | None:
        """The rows of the next group, without the day, which the file's folder tells."""
        taken: list[pa.Table] = []
        rows = held = 0
        while rows < GROUP_ROWS and held < GROUP_BYTES and (part := self._part()):
            taken.append(found := part())
            rows, held = rows + len(found), held + found.nbytes
        names = [name for name in self.table.names if name != "day" or not self.table.by_day]
        # A dictionary that changes within a row group makes the writer write values out.
        return pa.concat_tables(taken).select(names).unify_dictionaries() if rows else None

    def _part(self) -> Part | None:
        with self._taking:
            return next(self.rows, None)


def _writer(
    sink: pa.NativeFile, schema: pa.Schema, table: Table, described: list[parquet.FileMetaData]
) -> parquet.ParquetWriter:
    flat = [one.name for one in schema if not pa.types.is_nested(one.type)]
    # Numbers and keys differ from row to row: looking each up in a dictionary finds nothing.
    often = [name for name in flat if pa.types.is_string(schema.field(name).type) and name not in table.key]
    keys = [f"{one.name}.key_value.key" for one in schema if pa.types.is_map(one.type)]
    return parquet.ParquetWriter(
        sink,
        schema,
        # Next to zstd half as much again in bytes, for two thirds of the time to write and to read: landed
        # bytes, which stay, are more than twice as many. Next to snappy 5 % more bytes, read in two thirds of the time.
        compression="lz4",
        # Values of maps are long texts that differ, too.
        use_dictionary=[*often, *keys],  # pyright: ignore[reportArgumentType]
        write_statistics=flat,  # pyright: ignore[reportArgumentType]
        write_batch_size=4096,
        store_schema=False,
        metadata_collector=described,
    )


def stats(described: parquet.FileMetaData) -> dict[str, object]:
    """What the Delta log says of a file: rows, and NULLs, least and greatest values of its flat columns."""
    groups = [described.row_group(number) for number in range(described.num_row_groups)]
    nulls: dict[str, int] = {}
    least: dict[str, object] = {}
    greatest: dict[str, object] = {}
    for number in range(described.num_columns):
        found = [group.column(number).statistics for group in groups]
        name = described.schema.column(number).path
        # To compare statistics with None (`in`, `==`) crashes the process.
        if any(one is None for one in found):
            continue
        nulls[name] = sum(one.null_count for one in found)
        known = [one for one in found if one.has_min_max]
        if known and all(one.has_min_max or not one.num_values for one in found):
            least[name] = _told(min(one.min for one in known), cut=True)
            greatest[name] = _told(max(one.max for one in known), cut=False)
    return {
        "numRecords": described.num_rows,
        "minValues": {name: value for name, value in least.items() if value is not None},
        "maxValues": {name: value for name, value in greatest.items() if value is not None},
        "nullCount": nulls,
    }


def _told(value: object, *, cut: bool) -> object:
    """A bound as the log writes it; None where it cannot."""
    match value:
        case str():
            return value[:TOLD_TEXT] if cut or len(value) <= TOLD_TEXT else None
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%S.%fZ}"
        case date():
            return value.isoformat()
        case bool():
            return None
        case float():
            return value if math.isfinite(value) else None
        case _:
            return value
