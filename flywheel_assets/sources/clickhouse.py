"""A system bus's events in ClickHouse, by order of arrival: (received_at, id), over HTTP.

Rows that became visible a little late are found by reading a window behind the cursor again. Copies are
told by id, then by content, here and not by FINAL: the table may be of an engine that has none.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from flywheel_assets.sources.bus_pages import Document, Seen, pages
from flywheel_assets.sources.cursor import Page, SourceUnavailableError, State

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

LATE = timedelta(minutes=5)
ROWS_AT_ONCE = 10_000
SQL = """
SELECT id, toUnixTimestamp64Milli(timestamp) AS happened_ms, sessionId, systemId, level, source, component, action,
    success, duration_ms, error, metadata_json, toUnixTimestamp64Milli(received_at) AS received_ms
FROM {database:Identifier}.{table:Identifier}
WHERE (received_at, id) > (fromUnixTimestamp64Milli({after_ms:Int64}), {after_id:String})
ORDER BY received_at, id
LIMIT {rows:UInt32}
"""


@dataclass(frozen=True, slots=True)
class ClickHouse:
    """The server's HTTP address, and a user who may read the table; the password is only ever sent."""

    url: str
    user: str = "default"
    password: str = field(default="", repr=False)
    database: str = "default"
    table: str = "otel_events"
    late: timedelta = LATE
    rows: int = ROWS_AT_ONCE
    name: str = field(default="clickhouse", init=False)

    def poll(self, cursor: State) -> Iterator[Page]:
        """Rows that arrived behind the cursor, and late ones before it."""
        from clickhouse_connect.driver.exceptions import ClickHouseError

        try:
            with closing(self._client()) as client:
                yield from self._poll(client, cursor)
        except ClickHouseError as error:
            raise SourceUnavailableError(
                f"ClickHouse at {self.url}: {error}; check CLICKHOUSE_URL, CLICKHOUSE_USER, CLICKHOUSE_DATABASE "
                f"and that the user may SELECT from {self.database}.{self.table}"
            ) from error

    def _poll(self, client: "Client", cursor: State) -> Iterator[Page]:
        newest = _whole(cursor.get("received_ms"))
        seen = Seen(cursor.get("seen"))
        late = self.late // timedelta(milliseconds=1)
        after, before = (newest - late, "") if newest else (0, ""), cursor
        while rows := self._rows(client, *after):
            after = _whole(rows[-1]["received_ms"]), str(rows[-1]["id"])
            newest = max(newest, after[0])
            fresh = seen.fresh(rows, _received)
            # What lies behind what was read in this poll must stay known until the window has passed it.
            state = {"received_ms": newest, "seen": seen.since(newest - late)}
            if fresh:
                yield from pages(fresh, before, state, f"{self.database}.{self.table}, from {rows[0]['id']}: row")
                before = state

    def _rows(self, client: "Client", after_ms: int, after_id: str) -> list[Document]:
        given = {
            "database": self.database,
            "table": self.table,
            "after_ms": after_ms,
            "after_id": after_id,
            "rows": self.rows,
        }
        found = client.query(SQL, parameters=given).named_results()
        return [cast("Mapping[str, object]", row) | {"timestamp": row["happened_ms"]} for row in found]  # pyright: ignore[reportOperatorIssue]

    def _client(self) -> "Client":
        try:
            import clickhouse_connect
        except ImportError as error:
            raise SourceUnavailableError("install flywheel-assets[clickhouse] to read ClickHouse") from error
        return clickhouse_connect.get_client(
            dsn=self.url,
            username=self.user,
            password=self.password,
            # A session would make one poll wait for another.
            autogenerate_session_id=False,
        )


def _received(row: Document) -> int:
    return _whole(row["received_ms"])


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
