"""DuckDBs to compute in: in memory, in UTC."""

import functools
import os

import duckdb


def connection() -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that reads and shows times in UTC."""
    con = duckdb.connect()
    con.execute("SET GLOBAL TimeZone = 'UTC'")
    con.execute("SET preserve_insertion_order = false")
    return con


def session(threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A connection to a DuckDB that the process shares: what is temporary is its own, settings are not.

    A hundredth of what `connection` costs. `threads` is how many each query may use, by default all:
    callers that work side by side want one each.
    """
    return _shared(os.getpid(), threads).cursor()


@functools.cache
def _shared(_process: int, threads: int | None) -> duckdb.DuckDBPyConnection:
    con = connection()
    if threads is not None:
        con.execute(f"SET threads = {threads}")
    return con
