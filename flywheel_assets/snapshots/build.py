"""A DuckDB file of the whole lake at pinned versions: built beside, audited, then renamed into place."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version as installed
from pathlib import Path

import duckdb

from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.session import connection
from flywheel_assets.snapshots import audit, comments
from flywheel_assets.snapshots.retention import prune
from flywheel_assets.tables.catalogue import TABLES
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.table import Table

VIEWS = Path(__file__).with_name("views")
# DuckDB 2 writes files that 1.5 cannot read, unless it is told to write this version.
STORAGE = "v1.2.0"
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
    try:
        _fill(lake, building, chosen, at, portable=portable)
        rows = audit.audit(lake, building, chosen)
        _publish(building, path, folder / "current.duckdb")
    finally:
        building.unlink(missing_ok=True)
        building.with_name(f"{building.name}.wal").unlink(missing_ok=True)
    snapshot = Snapshot(path, tuple(rows), rows, chosen, path.stat().st_size)
    _write_manifest(snapshot, at)
    prune(lake, folder, keep, at)
    return snapshot


def _fill(lake: Lake, building: Path, versions: Mapping[str, int], at: datetime, *, portable: bool) -> None:
    con = connection()
    con.execute("SET temp_directory = ?", [str(building.with_suffix(".spill"))])
    for table in TABLES:
        if table.name in versions:
            lake.register(con, table, version=versions[table.name])
        else:
            con.register(table.name, table.empty())
    con.execute(f"ATTACH '{_quoted(building)}' AS snapshot (STORAGE_VERSION '{STORAGE}')")
    # One commit: each of the many hundred comments would else be written out by itself.
    con.execute("BEGIN")
    for table in TABLES:
        local = table is RAW_SPANS and table.name in versions and not portable and "://" not in lake.root
        files = lake.files(table, version=versions[table.name]) if local else []
        if files:
            _view(con, table, files)
        else:
            _copy(con, table)
        comments.describe(con, table, view=table is RAW_SPANS and _is_view(con, table))
    comments.write_manifest(con, versions, at, installed("flywheel-assets"))
    con.execute("USE snapshot")
    for file in sorted(VIEWS.glob("*.sql")):
        con.execute(file.read_text(encoding="utf-8"))
    con.execute("COMMIT")
    con.execute("USE memory")
    con.execute("DETACH snapshot")
    con.close()


def _copy(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    columns = ", ".join(f'"{name}"' for name in table.names)
    # Rows that are by day come file by file, so that DuckDB can skip days without a sort.
    order = "" if table.by_day else "ORDER BY " + ", ".join(f'"{name}"' for name in table.key)
    types = {name: kind for name, kind, *_ in con.execute(f'DESCRIBE "{table.name}"').fetchall()}
    described = ", ".join(
        f'"{column.name}" {types[column.name]}{" NOT NULL" if column.required else ""}' for column in table.columns
    )
    con.execute(f'CREATE TABLE snapshot.main."{table.name}" ({described})')
    con.execute(f'INSERT INTO snapshot.main."{table.name}" SELECT {columns} FROM "{table.name}" {order}')


def _view(con: duckdb.DuckDBPyConnection, table: Table, files: list[str]) -> None:
    columns = ", ".join(f'"{name}"' for name in table.names)
    listed = ", ".join(f"'{_quoted(Path(file).resolve())}'" for file in files)
    con.execute(
        f'CREATE VIEW snapshot.main."{table.name}" AS SELECT {columns} '
        f"FROM read_parquet([{listed}], hive_partitioning = true, hive_types = {{'day': DATE}})"
    )


def _is_view(con: duckdb.DuckDBPyConnection, table: Table) -> bool:
    found = con.execute(
        "SELECT count(*) FROM duckdb_views() WHERE database_name = 'snapshot' AND view_name = ?", [table.name]
    ).fetchall()
    return bool(found[0][0])


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


def _write_manifest(snapshot: Snapshot, at: datetime) -> None:
    manifest = {
        **{name: value for name, value in asdict(snapshot).items() if name not in {"path", "tables"}},
        "file": snapshot.path.name,
        "built_at": at.isoformat(),
        "code_version": installed("flywheel-assets"),
    }
    beside = snapshot.path.with_suffix(".json.part")
    beside.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    beside.replace(snapshot.path.with_suffix(".json"))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
