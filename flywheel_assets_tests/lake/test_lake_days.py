"""The partition column answers like any other, however few files there are."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS
from flywheel_assets.tables.table import Table

DAY = date(2026, 11, 20)
DAYS = Table(
    "stats",
    "scores",
    "A day.",
    ("day",),
    tuple(c for c in SKILL_DAY_STATS.columns if c.name in {"day", "skill"}),
    by_day=True,
)


@pytest.mark.parametrize("days", [1, 2, 5])
@pytest.mark.parametrize("where", ["", " WHERE day >= DATE '2026-11-20'"])
def test_the_first_and_last_day_are_found(tmp_path: Path, days: int, where: str):
    lake = Lake(str(tmp_path / "lake"))
    for number in range(days):
        day = DAY + timedelta(days=number)
        lake.overwrite(DAYS, DAYS.rows([{"day": day, "skill": "s"}]), day)
    found = lake.connect([DAYS]).sql(f"SELECT min(day), max(day), count(*) FROM stats{where}").fetchall()
    alone = lake.connect([DAYS]).sql(f"SELECT max(day) FROM stats{where}").fetchall()
    assert (found, alone) == ([(DAY, DAY + timedelta(days=days - 1), days)], [(DAY + timedelta(days=days - 1),)])
