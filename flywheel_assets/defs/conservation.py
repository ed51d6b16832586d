"""Conservation: rows in = rows out + rows set aside, for every day. The accounts are in `accounts/`.

Where rows are set aside, a query of the same name in `accounts/why/` says what for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

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


def balances(lake: Lake, account: str, tables: Sequence[Table]) -> list[Balance]:
    """The lines of `accounts/<account>.sql` over those tables."""
    con = lake.connect(tables)
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
            "broken": {str(line.day): f"{line.rows_in} ≠ {line.rows_out} + {line.set_aside}" for line in broken[:100]},
        },
    )


def conserves(asset: Table, account: str, tables: Sequence[Table]) -> Check:
    """The account as a check on `asset`; what it promises is the comment that the query begins with."""

    def look(wheel: WheelResource, _instance: dg.DagsterInstance) -> Verdict:
        verdict = judge(balances(wheel.lake(), account, tables))
        return Verdict(passed=verdict.passed, found={**verdict.found, **reasons(wheel.lake(), account, tables)})

    return Check(asset.name, account, promise(account), look)


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
