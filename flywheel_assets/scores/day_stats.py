"""A day's sufficient statistics per skill, arm and segment: what scores need, and all they need."""

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS

_DAY_STATS = (Path(__file__).parent / "day_stats.sql").read_text()


def day_stats(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table]:
    """(SKILL_DAY_STATS,) of the day: runs = admitted + missing + immature + refused in every row.

    Runs without a skill or an arm are in no row; they are in `rejections`, with that reason.
    """
    return (SKILL_DAY_STATS.conform(con.execute(_DAY_STATS, {"day": day}).to_arrow_table()),)
