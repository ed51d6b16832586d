"""Whether promotions in force still rest on evidence that counts: the view of that name, on the lake."""

from pathlib import Path
from typing import Any

import duckdb

from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS

_VIEW = (Path(__file__).parent / "views" / "promotion_support.sql").read_text(encoding="utf-8")


def support_in(lake: Lake) -> list[dict[str, Any]]:
    """Rows of the view, by skill, as the lake stands."""
    return support(lake.connect([PROMOTION_DECISIONS, DECISION_ARGUMENTS, GATED_OBSERVATIONS, FEEDBACK]))


def support(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Rows of the view, by skill, from the four tables that it reads on `con`."""
    con.execute(_VIEW.replace("CREATE VIEW", "CREATE TEMP VIEW", 1).partition("COMMENT ON")[0])
    return con.sql("FROM promotion_support").to_arrow_table().to_pylist()
