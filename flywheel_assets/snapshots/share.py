"""Copies of a snapshot for others: DuckDB, Parquet or CSV, whole or without words and names."""

import os
import secrets
import shutil
from pathlib import Path
from typing import Literal

import duckdb

from flywheel_assets.lake.session import connection
from flywheel_assets.snapshots import comments
from flywheel_assets.snapshots.build import STORAGE, VIEWS
from flywheel_assets.tables.catalogue import TABLES
from flywheel_assets.tables.table import Column, Table

Form = Literal["duckdb", "parquet", "csv"]
COPIED = (*TABLES, comments.MANIFEST)


def share(snapshot: Path, out: Path, form: Form, *, masked: bool) -> dict[str, int]:
    """Write every table of `snapshot` to `out`, a file (DuckDB) or a folder; rows by table.

    Masked, what people and models said is NULL, and who they are is a hash under a key that nobody keeps: equal
    names stay equal within the copy and mean nothing outside of it. Raises FileExistsError where `out` exists.
    """
    if out.exists():
        message = f"{out} exists; a copy is never written over"
        raise FileExistsError(message)
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}-{os.getpid()}")
    key = secrets.token_hex(16) if masked else None
    con = connection()
    try:
        con.execute(f"ATTACH {_text(snapshot)} AS source (READ_ONLY)")
        rows = _file(con, beside, key) if form == "duckdb" else _folder(con, beside, form, key)
        con.close()
        beside.rename(out)
    finally:
        con.close()
        if beside.is_dir():
            shutil.rmtree(beside)
        beside.unlink(missing_ok=True)
    return rows


def _file(con: duckdb.DuckDBPyConnection, path: Path, key: str | None) -> dict[str, int]:
    con.execute(f"ATTACH {_text(path)} AS snapshot (STORAGE_VERSION '{STORAGE}')")
    for table in COPIED:
        con.execute(f'CREATE TABLE snapshot.main."{table.name}" AS {_select(con, table, key)}')
        comments.describe(con, table)
    con.execute("USE snapshot")
    for file in sorted(VIEWS.glob("*.sql")):
        con.execute(file.read_text(encoding="utf-8"))
    rows = {table.name: _count(con, f'snapshot.main."{table.name}"') for table in COPIED}
    con.execute("USE memory")
    con.execute("DETACH snapshot")
    return rows


def _folder(con: duckdb.DuckDBPyConnection, folder: Path, form: Form, key: str | None) -> dict[str, int]:
    folder.mkdir()
    how = "FORMAT parquet, COMPRESSION zstd" if form == "parquet" else "FORMAT csv, HEADER"
    for table in COPIED:
        con.execute(f"COPY ({_select(con, table, key)}) TO {_text(folder / f'{table.name}.{form}')} ({how})")
    return {table.name: _count(con, f'source.main."{table.name}"') for table in COPIED}


def _select(con: duckdb.DuckDBPyConnection, table: Table, key: str | None) -> str:
    types = {name: kind for name, kind, *_ in con.execute(f'DESCRIBE source.main."{table.name}"').fetchall()}
    columns = ", ".join(_column(column, types[column.name], key) for column in table.columns)
    return f'SELECT {columns} FROM source.main."{table.name}"'


def _column(column: Column, kind: str, key: str | None) -> str:
    name = f'"{column.name}"'
    if key is None or column.private is None:
        return name
    if column.private == "words":
        return f"CAST(NULL AS {kind}) AS {name}"
    if kind.endswith("[]"):
        return f"list_transform({name}, lambda one: {_hashed('one', key)}) AS {name}"
    return f"{_hashed(name, key)} AS {name}"


def _hashed(value: str, key: str) -> str:
    return f"left(sha256({_text(key)} || {value}), 16)"


def _count(con: duckdb.DuckDBPyConnection, name: str) -> int:
    return con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
