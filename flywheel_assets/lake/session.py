"""DuckDBs to compute in: in memory, in UTC."""

import ctypes
import functools
import gc
import os
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

import duckdb

# Memory that is handed back has to be taken again: where the C library is GNU's, one arena for all threads keeps up to
# 256 MB of what NumPy and readers in Rust take.
if sys.platform == "linux" and hasattr(_libc := ctypes.CDLL(None), "mallopt"):
    for _what, _size in ((M_ARENA_MAX := -8, 1), (M_MMAP_THRESHOLD := -3, 32 * 2**20), (M_TRIM_THRESHOLD := -1, 2**28)):
        _libc.mallopt(_what, _size)

from flywheel_assets.tables.table import Table

# DuckDB 2 advises `sql` where rows leave as Arrow; with parameters, DuckDB 1.5 takes four times as long for that.
warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)
# What modules and definitions consist of stays. To look through all of it for what may go, each time that a few
# hundred objects were made, took a fifth of a process's start, and a quarter of a second in the midst of a turn.
gc.set_threshold(10_000)


def connection() -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that reads and shows times in UTC."""
    con = _ours(duckdb.connect())
    con.execute("SET GLOBAL TimeZone = 'UTC'")
    # A rewritten day is another file: what was read of the old one would be kept until memory is short.
    con.execute("SET enable_external_file_cache = false")
    # As with the other pools: memory that is handed back after each large query has to be taken again for the next.
    con.execute("SET GLOBAL allocator_flush_threshold = '8GB'")
    con.execute("SET GLOBAL allocator_bulk_deallocation_flush_threshold = '8GB'")
    return con


def reading(path: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB file, to be read."""
    return _ours(duckdb.connect(str(path), read_only=True))


def _ours(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    # A bar that is drawn once a query takes two seconds would go to standard output, where answers go.
    con.execute("SET enable_progress_bar = false")
    # What a join knows of one side is not handed to the scan of the other: scans of Arrow, by which lakes on object
    # stores are read, cannot always take it in (duckdb-python#463).
    return con.execute("SET disabled_optimizers = 'join_filter_pushdown'")


def session(threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A connection to a DuckDB that the process shares: what is temporary is its own, settings are not.

    A hundredth of what `connection` costs. `threads` is how many each query may use, by default all:
    callers that work side by side, or beside others, want one each. With more, a worker of DuckDB's that has had
    nothing to do for half a second hands the C library's free memory back to the system, and whoever computes
    meanwhile has to take it again, page by page.
    """
    return _shared(os.getpid(), threads).cursor()


@functools.cache
def _shared(_process: int, threads: int | None) -> duckdb.DuckDBPyConnection:
    con = connection()
    if threads is not None:
        con.execute(f"SET threads = {threads}")
        # Whoever computes many days side by side reads each file for several steps, and goes when it is done: its
        # footers stay in memory as long as the process.
        con.execute("SET GLOBAL parquet_metadata_cache = true")
    return con


def parquet_view(table: Table, files: Iterable[str], *, temporary: bool, uniform: bool = True) -> str:
    """SQL that makes the rows of those files a view of the table's name; `uniform` as in `parquet_rows`."""
    columns = ", ".join(f'"{name}"' for name in table.names)
    if table.by_day:
        # DuckDB 1.5 breaks down over min and max of a partition column of few files, unless it is
        # computed; files of other days are left out all the same.
        columns = columns.replace('"day"', 'coalesce("day", "day") AS "day"', 1)
    view = f'{"TEMP VIEW" if temporary else "VIEW"} "{table.name}"'
    return f"CREATE {view} AS SELECT {columns} FROM ({parquet_rows(table, files, uniform=uniform)})"


def parquet_rows(table: Table, files: Iterable[str], *, uniform: bool) -> str:
    """SQL for the rows of those files. Unless they are `uniform`, columns that a file lacks are NULL in its rows."""
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in files)
    options = "hive_partitioning = true, hive_types = {'day': DATE}" if table.by_day else "hive_partitioning = false"
    if uniform:
        return f"FROM read_parquet([{listed}], {options})"
    return f"{_nothing(table)} UNION ALL BY NAME FROM read_parquet([{listed}], {options}, union_by_name = true)"


@functools.cache
def _nothing(table: Table) -> str:
    """SQL for no rows with all of the table's columns."""
    kinds = session().from_arrow(table.empty()).types
    columns = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in zip(table.names, kinds, strict=True))
    return f"SELECT {columns} WHERE false"
