"""A DuckDB file of the whole lake at pinned versions: built beside, audited, then renamed into place.

It starts as a copy of the newest snapshot, of which only days that changed since are copied again.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from importlib.metadata import version as installed
from pathlib import Path

import duckdb

from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.session import connection, parquet_rows
from flywheel_assets.snapshots import audit, comments
from flywheel_assets.snapshots.parts import Base, Parts, base_of, changed, parts
from flywheel_assets.snapshots.retention import prune
from flywheel_assets.tables.catalogue import TABLES
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.table import Column, Table

VIEWS = Path(__file__).with_name("views")
# DuckDB 2 writes files that 1.5 cannot read, unless it is told to write this version.
STORAGE = "v1.2.0"
# What people and models say is long and differs from row to row. DuckDB would look for repetitions in it first, and
# then make a table of symbols for every block: a tenth of a build, and larger files.
WORDS = "USING COMPRESSION zstd"
STAMP = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A published DuckDB file: the rows of each table and the lake version that they equal."""

    path: Path
    tables: tuple[str, ...]
    rows: dict[str, int]
    versions: dict[str, int]
    bytes: int


def build_snapshot(  # noqa: PLR0913 - each is a choice of whoever publishes
    lake: Lake,
    folder: Path,
    at: datetime,
    versions: Mapping[str, int] | None = None,
    *,
    portable: bool = False,
    keep: int = 10,
) -> Snapshot:
    """Publish `<stamp of at>.duckdb` with its manifest, and the same as `current.duckdb`.

    Modelled tables are copied. Raw spans are a view on the pinned Parquet files, or copied when
    `portable` or when the lake is an object store. The newest `keep` dated files stay; the others go
    and release their versions. Raises `AuditError` when the file is not what the lake holds, and
    FileExistsError when a snapshot of that second exists; in both cases `current.duckdb` stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamp = at.strftime(STAMP)
    path, building = folder / f"{stamp}.duckdb", folder / f".building-{stamp}-{os.getpid()}.duckdb"
    if path.exists():
        message = f"{path} exists; a snapshot is never overwritten"
        raise FileExistsError(message)
    # Pinned before they are read, so that no vacuum comes in between.
    chosen = dict(versions) if versions is not None else lake.versions(TABLES)
    lake.pin(f"snapshot/{stamp}", chosen, at)
    plan = _Plan(lake, chosen, parts(lake, TABLES, chosen), spans_inside=portable or "://" in lake.root)
    layout = _layout(plan)
    try:
        _fill(plan, building, at, base_of(folder, layout))
        rows = audit.audit(lake, building, chosen)
        _publish(building, path, folder / "current.duckdb")
    finally:
        building.unlink(missing_ok=True)
        building.with_name(f"{building.name}.wal").unlink(missing_ok=True)
    snapshot = Snapshot(path, tuple(rows), rows, chosen, path.stat().st_size)
    _write_manifest(snapshot, at, layout, plan.parts)
    prune(lake, folder, keep, at)
    return snapshot


@dataclass(frozen=True, slots=True)
class _Plan:
    """What goes into a file: the lake's tables at these versions, made of these parts."""

    lake: Lake
    versions: Mapping[str, int]
    parts: Parts
    spans_inside: bool

    def is_view(self, table: Table) -> bool:
        """Raw spans stay where they are, unless they are wanted inside."""
        return table is RAW_SPANS and not self.spans_inside and bool(self.parts[table.name])


def _layout(plan: _Plan) -> str:
    """Differs where a file of these tables would be laid out, described or linked otherwise."""
    said = [STORAGE, WORDS, installed("flywheel-assets"), str(plan.spans_inside), str(Path(plan.lake.root).resolve())]
    said += [file.read_text(encoding="utf-8") for file in sorted(VIEWS.glob("*.sql"))]
    said += [repr((table, [str(column.type) for column in table.columns])) for table in TABLES]
    return hashlib.sha256("\x1e".join(said).encode()).hexdigest()[:16]


def _fill(plan: _Plan, building: Path, at: datetime, base: Base | None) -> None:
    if base is not None:
        shutil.copyfile(base.path, building)
    con = connection()
    # Two threads take twice the processor's time for the same rows, and hardly less of the clock's.
    con.execute("SET threads = 1")
    con.execute("SET temp_directory = ?", [str(building.with_suffix(".spill"))])
    # Nobody takes up a file that a crash left unfinished: a log of what is written to it would be written for nothing.
    con.execute(f"ATTACH '{_quoted(building)}' AS snapshot (RECOVERY_MODE NO_WAL_WRITES, STORAGE_VERSION '{STORAGE}')")
    stale = [table for table in TABLES if base is None or base.parts.get(table.name) != plan.parts[table.name]]
    days = {table.name: _days(plan, table, base) for table in stale}
    for table in stale:
        plan.lake.register(con, table, days[table.name], plan.versions.get(table.name))
    # Few commits: each of the many hundred comments would else be written out by itself.
    con.execute("BEGIN")
    for table in stale:
        _bring(con, plan, table, days[table.name])
        if table.by_day:
            # What is committed leaves memory; nobody sees the file before it is whole.
            con.execute("COMMIT")
            con.execute("BEGIN")
    comments.write_manifest(con, plan.versions, at, installed("flywheel-assets"))
    if base is None:
        con.execute("USE snapshot")
        for file in sorted(VIEWS.glob("*.sql")):
            con.execute(file.read_text(encoding="utf-8"))
    con.execute("COMMIT")
    con.execute("USE memory")
    con.execute("DETACH snapshot")
    con.close()


def _days(plan: _Plan, table: Table, base: Base | None) -> list[date] | None:
    """The days to copy of a table that the base has all others of; None: all, the base's are of no use."""
    if base is None or not table.by_day or table is RAW_SPANS:
        return None
    before, after = base.parts.get(table.name, {}), plan.parts[table.name]
    days = changed(before, after)
    # Deletes leave holes in the file: past some, a table written anew is smaller and as fast.
    return days if before and 2 * len(days) <= len(after) else None


def _bring(con: duckdb.DuckDBPyConnection, plan: _Plan, table: Table, days: list[date] | None) -> None:
    """Make the table what the lake holds: the given days of it, or all anew."""
    name = f'snapshot.main."{table.name}"'
    if days is not None:
        con.execute(f"DELETE FROM {name} WHERE day IN (SELECT unnest(?::DATE[]))", [days])
        _insert(con, table)
        return
    con.execute(f"DROP {_kind(con, table)} IF EXISTS {name}")
    if plan.is_view(table):
        _view(con, plan, table)
    else:
        _create(con, table)
        _insert(con, table)
    comments.describe(con, table, view=plan.is_view(table))


def _create(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    types = {name: kind for name, kind, *_ in con.execute(f'DESCRIBE "{table.name}"').fetchall()}
    described = ", ".join(_declared(column, types[column.name]) for column in table.columns)
    con.execute(f'CREATE TABLE snapshot.main."{table.name}" ({described})')


def _declared(column: Column, kind: str) -> str:
    packed = WORDS if column.private == "words" and kind == "VARCHAR" else ""
    return f'"{column.name}" {kind} {"NOT NULL" if column.required else ""} {packed}'


def _insert(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    columns = ", ".join(f'"{name}"' for name in table.names)
    # Rows that are by day come file by file, so that DuckDB can skip days without a sort.
    order = "" if table.by_day else "ORDER BY " + ", ".join(f'"{name}"' for name in table.key)
    con.execute(f'INSERT INTO snapshot.main."{table.name}" SELECT {columns} FROM "{table.name}" {order}')


def _view(con: duckdb.DuckDBPyConnection, plan: _Plan, table: Table) -> None:
    columns = ", ".join(f'"{name}"' for name in table.names)
    opened = plan.lake.open(table, plan.versions[table.name])
    files = [str(Path(file).resolve()) for file in plan.lake.files(table, version=plan.versions[table.name])]
    rows = parquet_rows(table, files, uniform=opened is not None and plan.lake.uniform(table, opened))
    con.execute(f'CREATE VIEW snapshot.main."{table.name}" AS SELECT {columns} FROM ({rows})')


def _kind(con: duckdb.DuckDBPyConnection, table: Table) -> str:
    found = con.execute(
        "SELECT count(*) FROM duckdb_views() WHERE database_name = 'snapshot' AND view_name = ?", [table.name]
    ).fetchall()
    return "VIEW" if found[0][0] else "TABLE"


def _publish(building: Path, dated: Path, current: Path) -> None:
    """Rename into place; whoever has the old file open keeps reading the old file."""
    with building.open("rb") as file:
        os.fsync(file.fileno())
    # A copy and not a link: someone who opens `current` for writing must not change the dated file.
    beside = current.with_name(f".{current.name}-{os.getpid()}")
    shutil.copyfile(building, beside)
    building.rename(dated)
    # Left by someone who wrote to the old file and crashed, it would be applied to the new one.
    current.with_name(f"{current.name}.wal").unlink(missing_ok=True)
    beside.replace(current)


def _write_manifest(snapshot: Snapshot, at: datetime, layout: str, made_of: Parts) -> None:
    manifest = {
        **{name: value for name, value in asdict(snapshot).items() if name not in {"path", "tables"}},
        "file": snapshot.path.name,
        "modified_ns": snapshot.path.stat().st_mtime_ns,
        "built_at": at.isoformat(),
        "code_version": installed("flywheel-assets"),
        "layout": layout,
        "parts": made_of,
    }
    beside = snapshot.path.with_suffix(".json.part")
    beside.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    beside.replace(snapshot.path.with_suffix(".json"))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
