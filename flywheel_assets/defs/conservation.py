"""Conservation: rows in = rows out + rows set aside, for every day. The accounts are in `accounts/`.

Of an account that is kept by day, what is shown counts the days that were drawn up again.

Where rows are set aside, a query of the same name in `accounts/why/` says what for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from flywheel_assets.defs.renewed import RED, Last, changed_days, renewed
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Check, Verdict
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.table import Table

ACCOUNTS = Path(__file__).parent / "accounts"
# Reasons shown, the most frequent first.
MOST = 50


@dataclass(frozen=True, slots=True)
class Balance:
    """One line of an account; `day` is None where the account is not kept by day."""

    day: date | None
    rows_in: int
    rows_out: int
    set_aside: int

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and nothing appeared."""
        return self.rows_in == self.rows_out + self.set_aside


def balances(lake: Lake, account: str, tables: Sequence[Table], days: Sequence[date] | None = None) -> list[Balance]:
    """The lines of `accounts/<account>.sql` over those days of the tables (None: over all)."""
    con = lake.connect(tables, {} if days is None else {table.name: days for table in tables if table.by_day})
    return [Balance(*row) for row in con.execute((ACCOUNTS / f"{account}.sql").read_text()).fetchall()]


def judge(lines: Sequence[Balance]) -> Verdict:
    """Totals, and each line that does not balance."""
    broken = [line for line in lines if not line.holds]
    return Verdict(
        passed=not broken,
        found={
            "rows in": sum(line.rows_in for line in lines),
            "rows out": sum(line.rows_out for line in lines),
            "rows set aside": sum(line.set_aside for line in lines),
            RED: [line.day.isoformat() for line in broken if line.day],
            "broken": {str(line.day): f"{line.rows_in} ≠ {line.rows_out} + {line.set_aside}" for line in broken[:100]},
        },
    )


def conserves(asset: Table, account: str, tables: Sequence[Table], reach: int | None = None) -> Check:
    """The account as a check on `asset`; what it promises is the comment that the query begins with.

    `reach`: how many days from a line's day its rows may lie. Then only lines of days that changed, or that
    were broken, are drawn up again. None: the account is not kept by day, and is drawn up as a whole.
    """

    def look(wheel: WheelResource, last: Last | None) -> Verdict:
        lake = wheel.lake()
        verdict = judge(lines(lake, account, tables, reach, last))
        return Verdict(passed=verdict.passed, found={**verdict.found, **reasons(lake, account, tables)})

    return renewed(asset.name, account, promise(account), tables, look)


def lines(
    lake: Lake, account: str, tables: Sequence[Table], reach: int | None = None, last: Last | None = None
) -> list[Balance]:
    """The account's lines that may be others than they were when it was last drawn up, or were broken then."""
    found = [changed_days(lake, table, last) for table in tables if table.by_day]
    changed = {day for days in found if days is not None for day in days}
    if reach is None or last is None or any(days is None for days in found):
        return balances(lake, account, tables)
    concerned = _around(changed, reach) | last.red
    read = sorted(_around(concerned, reach))
    return [line for line in balances(lake, account, tables, read) if line.day in concerned] if read else []


def _around(days: set[date], reach: int) -> set[date]:
    return {day + timedelta(days=shift) for day in days for shift in range(-reach, reach + 1)}


def reasons(lake: Lake, account: str, tables: Sequence[Table]) -> dict[str, dict[str, int]]:
    """What rows were set aside for, and how many each; nothing where no query says."""
    query = ACCOUNTS / "why" / f"{account}.sql"
    if not query.exists():
        return {}
    found = lake.connect(tables).execute(query.read_text()).fetchmany(MOST)
    return {"set aside for": {str(why): int(count) for why, count in found}}


def promise(account: str) -> str:
    """The comment that the query begins with."""
    lines = (ACCOUNTS / f"{account}.sql").read_text().splitlines()
    count = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return " ".join(line.removeprefix("-- ") for line in lines[:count])
