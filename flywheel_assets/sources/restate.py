"""Restate, asked over its admin SQL endpoint: how invocations ended, or that they live, which spans do not say.

Each invocation becomes one span, `flywheel.restate.status`, from its creation to its last sign of life; a
later poll writes it again with a later end, and of copies the latest counts. Invocations that have not ended
are told of once an hour. What Restate forgot before it was asked (`completion_retention`, a day) is not found.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import orjson

from flywheel_assets.sources.cursor import Page, SourceUnavailableError, State
from flywheel_assets.sources.plain_spans import PlainSpan, request
from flywheel_assets.sources.restate_rows import Journal, Row, journal_of, spans_of

COLUMNS = (
    "id, target, invoked_by, invoked_by_id, restarted_from, pinned_deployment_id, trace_id, created_at, "
    "modified_at, completed_at, retry_count, last_failure, status, completion_result, completion_failure"
)
RESOURCE = {"service.name": "Restate"}
SCOPE = {"name": "flywheel.restate"}
# How much later than its time a change may become visible.
LATE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BEGINNING = "1970-01-01T00:00:00Z"
_ID = re.compile(r"[A-Za-z0-9_]+")
_IDS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Restate:
    """`client` has the admin address as its base URL, and the token where one is asked for."""

    client: httpx.Client
    page_rows: int = 1000
    name: str = field(default="restate", init=False)

    def poll(self, cursor: State) -> Iterator[Page]:
        """What changed since the cursor, by time of change and id; then, once an hour, what is still going on."""
        seen = _texts(cursor.get("seen"))
        newest = str(cursor.get("modified_at") or BEGINNING)
        told = str(cursor.get("told_at") or BEGINNING)
        hour = self._hour()
        after = (_time(newest) - LATE if newest != BEGINNING else _time(newest)).isoformat(), ""
        while rows := self._rows(
            f"modified_at > TIMESTAMP '{after[0]}' OR (modified_at = TIMESTAMP '{after[0]}' AND id > '{after[1]}')",
            "modified_at, id",
        ):
            after = _checked(rows[-1])
            newest = max(newest, after[0], key=_time)
            fresh = [row for row in rows if seen.get(str(row["id"])) != row["modified_at"]]
            seen |= {str(row["id"]): str(row["modified_at"]) for row in rows}
            seen = {one: at for one, at in seen.items() if _time(at) >= _time(newest) - LATE}
            if fresh:
                yield self._page(fresh, {"modified_at": newest, "told_at": told, "seen": seen})
        if _time(told) < hour:
            yield from self._alive(hour, {"modified_at": newest, "seen": seen}, told)

    def _alive(self, hour: datetime, behind: State, told: str) -> Iterator[Page]:
        last = ""
        while rows := self._rows(f"status <> 'completed' AND id > '{last}'", "id"):
            last = _checked(rows[-1])[1]
            silent = [row | {"seen_at": hour.isoformat()} for row in rows if _time(str(row["modified_at"])) < hour]
            if silent:
                yield self._page(silent, {**behind, "told_at": told})
        yield Page({**behind, "told_at": hour.isoformat()})

    def _page(self, rows: Sequence[Row], cursor: State) -> Page:
        journals = self._journals(rows)
        spans: list[PlainSpan] = []
        set_aside: dict[str, int] = {}
        for row in rows:
            told = spans_of(row, journals)
            spans += told
            if not told:
                set_aside["no creation time"] = set_aside.get("no creation time", 0) + 1
        payload = request(spans, RESOURCE, SCOPE) if spans else b""
        return Page(cursor, payload, rows=len(rows), set_aside=set_aside)

    def _journals(self, rows: Sequence[Row]) -> Mapping[str, Journal]:
        """What is needed of the journals of callers (whom they called) and of aborted invocations (by whom)."""
        callers = {str(row["invoked_by_id"]) for row in rows if row.get("invoked_by_id")}
        aborted = {str(row["id"]) for row in rows if str(row.get("completion_failure", "")).startswith("[409]")}
        found: list[Row] = []
        wanted = sorted(one for one in callers | aborted if _ID.fullmatch(one))
        for start in range(0, len(wanted), _IDS_AT_ONCE):
            ids = ", ".join(f"'{one}'" for one in wanted[start : start + _IDS_AT_ONCE])
            found += self._ask(
                f"SELECT id, entry_type, entry_json FROM sys_journal WHERE id IN ({ids}) "
                "AND entry_type IN ('Command: Call', 'Command: Output', 'Notification: Signal') ORDER BY id, index"
            )
        return journal_of(found)

    def _rows(self, condition: str, order: str) -> list[Row]:
        return self._ask(
            f"SELECT {COLUMNS} FROM sys_invocation WHERE {condition} ORDER BY {order} LIMIT {self.page_rows}"
        )

    def _hour(self) -> datetime:
        """The hour that Restate's own clock is in; a minute's grace, for its nodes' clocks differ."""
        now = _time(str(self._ask("SELECT now() AS now")[0]["now"])) - LATE
        return now.replace(minute=0, second=0, microsecond=0)

    def _ask(self, query: str) -> list[Row]:
        try:
            answer = self.client.post("/query", json={"query": query}, headers={"accept": "application/json"})
            answer.raise_for_status()
            return list(orjson.loads(answer.content)["rows"])
        except httpx.HTTPStatusError as error:
            raise SourceUnavailableError(
                f"Restate's admin answered {error.response.status_code}: {error.response.text[:200]}"
            ) from error
        except httpx.HTTPError as error:
            raise SourceUnavailableError(
                f"Restate's admin at {self.client.base_url} cannot be asked ({error}): check RESTATE_ADMIN_URL"
            ) from error
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise SourceUnavailableError(
                f"{self.client.base_url}query did not answer with rows: is it Restate's admin port (9070)?"
            ) from error


def _checked(row: Row) -> tuple[str, str]:
    """Time of change and id, which go into the next query's text."""
    one = str(row["id"])
    if not _ID.fullmatch(one):
        raise SourceUnavailableError(f"an invocation id is not one: {one[:60]!r}")
    return _time(str(row["modified_at"])).isoformat(), one


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _texts(given: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in given.items()} if isinstance(given, Mapping) else {}
