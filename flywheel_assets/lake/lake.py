"""`Lake`: the wheel's tables, versioned."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError
from pyarrow.dataset import field as field_named

from flywheel_assets.lake import files, layout, log
from flywheel_assets.lake.files import Part
from flywheel_assets.lake.newest import Newest
from flywheel_assets.lake.overwrite import Fresh, Ready, Written, commit, prepare
from flywheel_assets.lake.pins import PINS
from flywheel_assets.lake.session import parquet_view, session
from flywheel_assets.tables.table import DAY, Table


@dataclass(frozen=True, slots=True)
class Lake:
    """The tables under one root: a folder, or an object store URL with its `storage_options`."""

    root: str
    storage_options: dict[str, str] = field(default_factory=dict)
    _newest: dict[str, Newest] = field(default_factory=dict[str, Newest], init=False, repr=False, compare=False)
    _complete: dict[str, DeltaTable] = field(
        default_factory=dict[str, DeltaTable], init=False, repr=False, compare=False
    )

    def __reduce__(self) -> tuple[type["Lake"], tuple[str, dict[str, str]]]:
        """For another process, which opens the tables itself."""
        return Lake, (self.root, self.storage_options)

    def uri(self, table: Table) -> str:
        """Where the table lives."""
        return f"{self.root.rstrip('/')}/{table.name}"

    def open(self, table: Table, version: int | None = None) -> DeltaTable | None:
        """The table at a version (the newest by default), or None where it was never written."""
        newest = self._now(table).open()
        if version is None or newest is None or newest.version() == version:
            return newest
        return DeltaTable(self.uri(table), version=version, storage_options=self.storage_options or None)

    def _now(self, table: Table) -> Newest:
        return self._newest.setdefault(table.name, Newest(self.uri(table), self.storage_options))

    def version(self, table: Table) -> int | None:
        """The table's newest version; None where it was never written."""
        opened = self.open(table)
        return None if opened is None else opened.version()

    def versions(self, tables: Iterable[Table]) -> dict[str, int]:
        """The newest versions of those tables that exist."""
        found = {table.name: self.version(table) for table in tables}
        return {name: version for name, version in found.items() if version is not None}

    def days(self, table: Table, version: int | None = None) -> list[date]:
        """The days that have rows, ascending."""
        opened = self.open(table, version)
        return [] if opened is None else sorted({day for day, _ in log.files(opened) if day is not None})

    def changed_days(self, table: Table, since: int) -> set[date] | None:
        """Days with files that came or went after version `since`; None where the log does not tell."""
        return self._now(table).changed_days(since)

    def size(self, table: Table, days: Iterable[date]) -> int:
        """How many bytes the files of those days have."""
        opened = self.open(table)
        sizes = {} if opened is None else log.sizes(opened)
        return sum(sum(sizes[day].values()) for day in days if day in sizes)

    def files(self, table: Table, days: Sequence[date] | None = None, version: int | None = None) -> list[str]:
        """Parquet files of the table (of those days only), to hand to DuckDB's `read_parquet`."""
        opened = self.open(table, version)
        return [] if opened is None else self._files(opened, table, days)

    def _files(self, opened: DeltaTable, table: Table, days: Sequence[date] | None) -> list[str]:
        wanted = None if days is None else set(days)
        root = self.uri(table)
        return sorted(f"{root}/{path}" for day, path in log.files(opened) if wanted is None or day in wanted)

    def connect(
        self,
        tables: Iterable[Table],
        days: Mapping[str, Sequence[date]] | None = None,
        versions: Mapping[str, int] | None = None,
        threads: int | None = None,
    ) -> duckdb.DuckDBPyConnection:
        """A DuckDB `session` with each table as a view of its own name.

        `days` and `versions` are by table name; a table absent from them is read whole, newest.
        """
        con = session(threads)
        for table in tables:
            days_of, version = (days or {}).get(table.name), (versions or {}).get(table.name)
            self.register(con, table, days_of, version, temporary=True)
        return con

    def register(
        self,
        con: duckdb.DuckDBPyConnection,
        table: Table,
        days: Sequence[date] | None = None,
        version: int | None = None,
        *,
        temporary: bool = False,
    ) -> None:
        """Make the table (or those days of it) a view on `con`; an unwritten table has no rows."""
        opened = self.open(table, version)
        found = [] if opened is None else self._files(opened, table, days)
        if opened is None or not found:
            con.register(table.name, table.empty())
        elif "://" in self.root:
            # An Arrow dataset reads any store that the lake can; DuckDB would need an extension for each.
            dataset = opened.to_pyarrow_dataset().replace_schema(table.schema)
            kept = dataset if days is None else dataset.filter(field_named("day").isin(pa.array(days, DAY)))
            con.register(table.name, kept)
        else:
            con.execute(parquet_view(table, found, temporary=temporary, uniform=self.uniform(table, opened)))

    def uniform(self, table: Table, opened: DeltaTable) -> bool:
        """Whether every file of the table as `opened` has every column; those that lack one are older than it."""
        if self._complete.get(table.name) is not opened and not layout.lacking(opened, table):
            self._complete[table.name] = opened
        return self._complete.get(table.name) is opened and not layout.widened(opened)

    def read(
        self,
        table: Table,
        days: Sequence[date] | None = None,
        version: int | None = None,
        columns: Sequence[str] | None = None,
        *,
        ordered: bool = True,
    ) -> pa.Table:
        """Rows as Arrow, with the table's exact types; in key order, or as they lie where that costs too much."""
        chosen = [column for column in table.columns if columns is None or column.name in columns]
        selected = ", ".join(f'"{column.name}"' for column in chosen)
        key = ", ".join(f'"{name}"' for name in table.key)
        order = f"ORDER BY {key}" if ordered else ""
        con = session()
        self.register(con, table, days, version, temporary=True)
        rows = con.sql(f'SELECT {selected} FROM "{table.name}" {order}').to_arrow_table()
        return rows.cast(pa.schema([pa.field(column.name, column.type) for column in chosen]))

    def overwrite(
        self,
        table: Table,
        data: pa.Table | Iterator[Part],
        day: date | None = None,
        inputs: str = "",
        content: str | None = None,
    ) -> Written:
        """Replace one day (or the whole of a table that is not by day), atomically; `Fresh` says more of what is given.

        Where other `inputs` gave the rows that are there already, that is noted and no file is written.
        Raises ValueError when the rows do not fit the table.
        """
        return self.commit(table, [self.prepare(table, Fresh(day, data, inputs, content))])[0]

    def prepare(self, table: Table, fresh: Fresh) -> Ready:
        """The first half of `overwrite`, by any process: rows are written where nobody sees them before `commit`.

        Files that are never committed are vacuumed away.
        """
        if table.by_day != (fresh.day is not None):
            message = f"{table.name} is {'written by day' if table.by_day else 'not written by day'}"
            raise ValueError(message)
        self.create([table])
        return prepare(self._now(table), table, fresh)

    def commit(self, table: Table, ready: Sequence[Ready]) -> list[Written]:
        """The second half of `overwrite`, of several days at once: whoever reads sees none of them or all."""
        return commit(self._now(table), table, ready)

    def create(self, tables: Iterable[Table]) -> None:
        """Those tables with all their columns; one that is not there is created without rows."""
        for table in tables:
            self._opened(table)

    def append(self, table: Table, data: pa.Table, key: str) -> int | None:
        """Add rows once per `key`; returns the new version, or None when `key` was there already."""
        data, folder = table.conform(data), files.store(self.uri(table), self.storage_options)
        while True:
            # The commit is checked against everything since this very version was opened.
            opened = self._opened(table)
            if f"append/{key}" in self._now(table).notes():
                return None
            written = files.write(folder, table, None, files.parts(data), 1)
            try:
                log.commit(opened, written, [Transaction(f"append/{key}", 1)])
            except CommitFailedError as refused:
                if "Concurrent transaction" not in str(refused):
                    raise
            else:
                return opened.version()

    def _opened(self, table: Table) -> DeltaTable:
        """The table with all its columns, created without rows where it is not there.

        Creating it is a commit of its own, so that the first writers of two days do not race for it.
        """
        opened = self.open(table)
        if opened is None:
            return layout.create(self.uri(table), self.storage_options, table)
        if layout.lacking(opened, table):
            layout.widen(opened, table)
        return opened

    def fingerprint(self, table: Table, day: date | None = None) -> str | None:
        """Fingerprint of the rows last written for the day (or the whole); None: never written."""
        return self.fingerprints(table, [day])[day]

    def fingerprints(self, table: Table, days: Iterable[date | None]) -> dict[date | None, str | None]:
        """`fingerprint` of several days at once."""
        return log.noted(self._now(table).notes(), "content", days)

    def stamps(self, table: Table, days: Iterable[date | None], what: str = "inputs") -> dict[date | None, str | None]:
        """The `inputs` (or `concern`) given when each day (None: the whole) was last written; None: never written."""
        return log.noted(self._now(table).notes(), what, days)

    def restamp(self, table: Table, stamps: Mapping[date, str]) -> None:
        """Give days that are written other `inputs`, which would have given the same rows."""
        log.note(
            self._opened(table), [Transaction(log.key("inputs", day), int(stamp, 16)) for day, stamp in stamps.items()]
        )

    def pin(self, name: str, versions: Mapping[str, int], at: datetime) -> None:
        """Keep these table versions readable until `unpin(name)`."""
        rows = [
            {"name": name, "table_name": table, "table_version": version, "pinned_at": at}
            for table, version in sorted(versions.items())
        ]
        self.append(PINS, PINS.rows(rows), key=name)

    def unpin(self, name: str) -> None:
        """Release what `pin` kept. The same name cannot be pinned again."""
        opened = self.open(PINS)
        if opened is not None:
            quoted = name.replace("'", "''")
            opened.delete(f"name = '{quoted}'")

    def pins(self) -> dict[str, dict[str, int]]:
        """Pinned versions: {name: {table: version}}."""
        found: dict[str, dict[str, int]] = {}
        for row in self.read(PINS).to_pylist():
            found.setdefault(row["name"], {})[row["table_name"]] = row["table_version"]
        return found

    def vacuum(self, tables: Iterable[Table], keep: timedelta, *, dry_run: bool = True) -> dict[str, list[str]]:
        """Delete (or, dry, list) files that no version newer than `keep` and no pinned version needs."""
        pinned = self.pins()
        gone: dict[str, list[str]] = {}
        for table in tables:
            opened = self.open(table)
            if opened is not None:
                kept = sorted({versions[table.name] for versions in pinned.values() if table.name in versions})
                gone[table.name] = opened.vacuum(
                    retention_hours=math.ceil(keep.total_seconds() / 3600),
                    dry_run=dry_run,
                    enforce_retention_duration=False,
                    keep_versions=kept or None,
                )
        return gone
