"""Dagster's SQLite event log for one machine: its files stay open from event to event.

Dagster opens and closes a file two to four times an event, and waits for the disk each time: a third
of a small turn. Files and rows are the same as without it, so the UI reads them as ever.
"""

import os
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import dagster as dg
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetKeyTable, SqlEventLogStorageTable
from dagster._core.storage.sql import create_engine
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, NullPool, bindparam, text

# A turn writes to the index and to its own file; burying the dead may touch some more.
MOST_OPEN = 8
# Made once: to put a statement together takes longer than to execute it.
NOTE, JUDGED_UNASKED = SqlEventLogStorageTable.insert(), AssetCheckExecutionsTable.insert()
JUDGED = (
    AssetCheckExecutionsTable.update()
    .where(AssetCheckExecutionsTable.c.asset_key == bindparam("of"))
    .where(AssetCheckExecutionsTable.c.check_name == bindparam("named"))
    .where(AssetCheckExecutionsTable.c.run_id == bindparam("by"))
    .where(AssetCheckExecutionsTable.c.partition.is_(None))
)
IN_INDEX = {*ASSET_EVENTS, *ASSET_CHECK_EVENTS, *EVENT_TYPE_TO_PIPELINE_RUN_STATUS}


class SteadyEventLog(SqliteEventLogStorage):
    """One connection a file, used by one thread at a time.

    Commits survive a kill of the process. The last ones before a power cut may be lost: they were of
    a run that the cut ended, and the lake says what is stale.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Of the files below `base_dir`, as Dagster lays them out."""
        self._kept: dict[str, Connection] = {}
        self._there: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Dagster's folder; where a process is not told of it, one that goes with the process's other history."""
        return {"home": dg.Field(dg.StringSource, is_required=False)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "SteadyEventLog":
        """As Dagster makes it from its settings."""
        home = config_value.get("home") or os.environ.get("DAGSTER_HOME") or mkdtemp()
        return cls(str(Path(home, "history", "runs")), inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Generator[Connection]:
        with self._db_lock:
            kept = self._kept.get(shard)
            if kept is None:
                while len(self._kept) >= MOST_OPEN:
                    self._kept.pop(next(iter(self._kept))).close()
                kept = self._kept[shard] = self._opened(shard)
            with kept.begin():
                yield kept

    def _opened(self, shard: str) -> Connection:
        arguments = {"timeout": 30, "check_same_thread": False}
        file = Path(self.path_for_shard(shard))
        # Laid out as by another Dagster it would not do. Its name is not one of a run's file.
        empty = file.with_name(f"empty-{dg.__version__}")
        fresh = not file.exists()
        if fresh and empty.exists():
            _copy(empty, file)
        engine = create_engine(self.conn_string_for_shard(shard), poolclass=NullPool, connect_args=arguments)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        opened = engine.connect()
        if fresh and not empty.exists():
            _keep(opened, empty)
        opened.execute(text("PRAGMA journal_mode = WAL"))
        opened.execute(text("PRAGMA synchronous = NORMAL"))
        opened.commit()
        return opened

    def has_table(self, table_name: str) -> bool:
        """Dagster opens the file anew to look, for every day that is reported."""
        return self._found(table_name, super().has_table)

    def has_asset_key_col(self, column_name: str) -> bool:
        """Dagster looks three times before every step."""
        return self._found(column_name, super().has_asset_key_col)

    def has_secondary_index(self, name: str) -> bool:
        """Dagster looks before every step."""
        return self._found(name, super().has_secondary_index)

    def _found(self, name: str, look: Callable[[str], bool]) -> bool:
        """Whether it is there: what is stays."""
        if name not in self._there and look(name):
            self._there.add(name)
        return name in self._there

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        """Dagster reads all its migrations to find out that there is nothing to do."""
        with engine.connect() as opened:
            there = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
            if opened.execute(text(there)).first() and opened.execute(text("SELECT 1 FROM alembic_version")).first():
                return
        super()._initdb(engine, for_index_shard)

    def store_event(self, event: dg.EventLogEntry) -> None:
        """In the run's file, and what is asked for across runs in the index too."""
        row, kind = self._event_to_row(event), event.dagster_event_type if event.is_dagster_event else None
        with self.run_connection(event.run_id) as conn:
            conn.execute(NOTE, row)
        if kind not in IN_INDEX:
            return
        said = event.asset_check_evaluation if kind == dg.DagsterEventType.ASSET_CHECK_EVALUATION else None
        ours = said if said and event.run_id and said.partition is None else None
        with self.index_connection() as conn:
            number = int((conn.execute(NOTE, row).inserted_primary_key or [0])[0])
            if kind in ASSET_EVENTS:
                self._store_asset_event_tags(conn, [event], [number])
                self._store_asset_event(conn, event, number)
            if ours:
                _judge(conn, ours, row, number)
        if kind in ASSET_CHECK_EVENTS and not ours:
            self.store_asset_check_event(event, number)

    def _store_asset_event(self, conn: Connection, event: dg.EventLogEntry, event_id: int) -> None:
        """Dagster inserts the asset, fails because it is there, and updates it, for every day anew."""
        key = event.dagster_event and event.dagster_event.asset_key
        # The columns are there: they came with an older version than any that wrote these files.
        values = key and self._get_asset_entry_values(event, event_id, has_asset_key_index_cols=True)
        if key and values:
            ours = AssetKeyTable.c.asset_key == key.to_string()
            if not conn.execute(AssetKeyTable.update().values(**values).where(ours)).rowcount:
                conn.execute(AssetKeyTable.insert().values(asset_key=key.to_string(), **values))

    def wipe(self) -> None:
        """Its files are deleted: none may stay open."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close the files."""
        self._close()
        super().dispose()

    def _close(self) -> None:
        with self._db_lock:
            for kept in self._kept.values():
                kept.close()
            self._kept.clear()


def _judge(conn: Connection, said: dg.AssetCheckEvaluation, row: Mapping[str, Any], number: int) -> None:
    """What a check said, in the row that was planned for it, or, in a turn, in one of its own."""
    about, key = said.target_materialization_data, said.asset_key.to_string()
    values = {
        "execution_status": "SUCCEEDED" if said.passed else "FAILED",
        "evaluation_event": row["event"],
        "evaluation_event_timestamp": row["timestamp"],
        "evaluation_event_storage_id": number,
        "materialization_event_storage_id": about.storage_id if about else None,
    }
    planned = {"of": key, "named": said.check_name, "by": row["run_id"]}
    if not conn.execute(JUDGED, {**planned, **values}).rowcount:
        own = {"asset_key": key, "check_name": said.check_name, "run_id": row["run_id"], "partition": None}
        conn.execute(JUDGED_UNASKED, {**own, **values})


def _keep(opened: Connection, empty: Path) -> None:
    """Keep what was laid out and holds nothing yet: to do it table by table takes a fifth of a second of the disk."""
    with TemporaryDirectory(dir=empty.parent) as beside:
        copy = Path(beside, empty.name)
        opened.execute(text("VACUUM INTO :copy"), {"copy": str(copy)})
        copy.replace(empty)


def _copy(empty: Path, file: Path) -> None:
    """Begin a file; one that another process began meanwhile stays. Where links are unknown, Dagster begins it."""
    with TemporaryDirectory(dir=file.parent) as beside, suppress(OSError):
        file.hardlink_to(shutil.copyfile(empty, Path(beside, file.name)))
