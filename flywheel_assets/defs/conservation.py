"""Conservation: rows in = rows out + rows set aside, for every day, as an asset check."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.table import Table

QUERIES = Path(__file__).parent / "accounts"


@dataclass(frozen=True, slots=True)
class Balance:
    """One line of the account; `day` is None where the account is not kept by day."""

    day: date | None
    rows_in: int
    rows_out: int
    set_aside: int

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and nothing appeared."""
        return self.rows_in == self.rows_out + self.set_aside


def balances(lake: Lake, query: str, tables: Sequence[Table]) -> list[Balance]:
    """The account that `accounts/<query>.sql` keeps over those tables."""
    con = lake.connect(tables)
    return [Balance(*row) for row in con.execute((QUERIES / f"{query}.sql").read_text()).fetchall()]


def judge(account: Sequence[Balance]) -> dg.AssetCheckResult:
    """Totals, and each line that does not balance."""
    broken = [line for line in account if not line.holds]
    return dg.AssetCheckResult(
        passed=not broken,
        metadata={
            "rows in": sum(line.rows_in for line in account),
            "rows out": sum(line.rows_out for line in account),
            "rows set aside": sum(line.set_aside for line in account),
            "broken": {str(line.day): f"{line.rows_in} ≠ {line.rows_out} + {line.set_aside}" for line in broken},
        },
        description="balanced" if not broken else f"{len(broken)} of {len(account)} lines do not balance",
    )


def conserves(asset: Table, query: str, tables: Sequence[Table]) -> dg.AssetChecksDefinition:
    """The account as a check on `asset`; its description is the query's first line."""

    @dg.asset_check(asset=asset.name, name=query, description=description(query))
    def check(wheel: WheelResource) -> dg.AssetCheckResult:
        return judge(balances(wheel.lake(), query, tables))

    return check


def description(query: str) -> str:
    """The comment that the query begins with."""
    lines = (QUERIES / f"{query}.sql").read_text().splitlines()
    count = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return " ".join(line.removeprefix("-- ") for line in lines[:count])
