"""What changed from one snapshot to another: rows by key, and the decisions between them."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from flywheel_assets.lake.session import connection
from flywheel_assets.snapshots.comments import MANIFEST
from flywheel_assets.tables.catalogue import TABLES
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.table import Table


@dataclass(frozen=True, slots=True)
class Change:
    """One table: lake versions and rows of both files, and the rows that only one has or that differ.

    `added`, `removed` and `changed` are None where rows cannot be compared, and `note` says why.
    """

    table: str
    versions: tuple[int | None, int | None]
    rows: tuple[int, int]
    added: int | None
    removed: int | None
    changed: int | None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One ledger entry that only the later file has."""

    entry_id: str
    experiment_id: str
    skill: str
    kind: str
    candidate_arm: str
    reason: str | None


def compare(before: Path, after: Path) -> tuple[list[Change], list[Entry]]:
    """Every table that differs, in the order of the wheel, and the ledger's entries that are new."""
    con = connection()
    try:
        con.execute(f"ATTACH '{_quoted(before)}' AS a (READ_ONLY)")
        con.execute(f"ATTACH '{_quoted(after)}' AS b (READ_ONLY)")
        versions = [_versions(con, side) for side in ("a", "b")]
        found = [_change(con, table, (versions[0].get(table.name), versions[1].get(table.name))) for table in TABLES]
        return [change for change in found if change is not None], _entries(con)
    finally:
        con.close()


def _change(con: duckdb.DuckDBPyConnection, table: Table, versions: tuple[int | None, int | None]) -> Change | None:
    columns = [_columns(con, side, table) for side in ("a", "b")]
    if not all(columns):
        note = "only the later file has it" if columns[1] else "only the earlier file has it"
        rows = tuple(_count(con, side, table) if here else 0 for side, here in zip("ab", columns, strict=True))
        return Change(table.name, versions, (rows[0], rows[1]), None, None, None, note) if any(columns) else None
    if columns[0] == columns[1] and versions[0] == versions[1]:
        return None
    try:
        rows = (_count(con, "a", table), _count(con, "b", table))
    except duckdb.IOException:
        # A view on files of the lake, which goes with the snapshot that pinned them.
        return Change(table.name, versions, (0, 0), None, None, None, "the lake no longer has its files")
    common = [name for name in columns[1] if columns[0].get(name) == columns[1][name]]
    other = sorted((columns[0].keys() | columns[1].keys()) - set(common))
    note = f"columns that differ are not compared: {', '.join(other)}" if other else None
    if not set(table.key) <= set(common):
        return Change(table.name, versions, rows, None, None, None, note)
    added, removed, changed = _rows(con, table, common)
    if not (added or removed or changed or note):
        return None
    return Change(table.name, versions, rows, added, removed, changed, note)


def _rows(con: duckdb.DuckDBPyConnection, table: Table, columns: list[str]) -> tuple[int, int, int]:
    """Rows that only `b` has, that only `a` has, and that differ."""
    # Keys may hold NULLs, which a USING would not join.
    same = " AND ".join(f'x."{name}" IS NOT DISTINCT FROM y."{name}"' for name in table.key)
    packed = ", ".join(f'"{name}"' for name in columns)
    side = f"SELECT {', '.join(dict.fromkeys(chr(34) + n + chr(34) for n in table.key))}, hash({packed}) AS content"
    (found,) = con.execute(
        f'WITH x AS ({side} FROM a.main."{table.name}"), y AS ({side} FROM b.main."{table.name}") '
        f"SELECT count(*) FILTER (x.content IS NULL), count(*) FILTER (y.content IS NULL), "
        f"count(*) FILTER (x.content <> y.content) FROM x FULL JOIN y ON {same}"
    ).fetchall()
    return found


def _entries(con: duckdb.DuckDBPyConnection) -> list[Entry]:
    name = PROMOTION_DECISIONS.name
    if not all(_columns(con, side, PROMOTION_DECISIONS) for side in ("a", "b")):
        return []
    found = con.execute(
        f"SELECT entry_id, experiment_id, skill, kind, candidate_arm, reason FROM b.main.{name} "
        f"WHERE entry_id NOT IN (SELECT entry_id FROM a.main.{name}) ORDER BY seq"
    ).fetchall()
    return [Entry(*row) for row in found]


def _columns(con: duckdb.DuckDBPyConnection, side: str, table: Table) -> dict[str, str]:
    """Types by name; nothing where that file has no such table."""
    found = con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = ? AND table_name = ?",
        [side, table.name],
    ).fetchall()
    return dict(found)


def _versions(con: duckdb.DuckDBPyConnection, side: str) -> dict[str, int | None]:
    return dict(con.execute(f"SELECT table_name, table_version FROM {side}.main.{MANIFEST.name}").fetchall())


def _count(con: duckdb.DuckDBPyConnection, side: str, table: Table) -> int:
    return con.execute(f'SELECT count(*) FROM {side}.main."{table.name}"').fetchall()[0][0]


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
