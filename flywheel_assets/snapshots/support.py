"""Questions of the snapshot that are asked of the lake too, as it stands: the views of that name."""

from typing import Any

import duckdb

from flywheel_assets.lake.lake import Lake
from flywheel_assets.snapshots.live import asked, rows_of_each
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.raw_spans import RAW_SPANS


def support_in(lake: Lake) -> list[dict[str, Any]]:
    """Whether promotions in force still rest on evidence that counts: rows of `promotion_support`, by skill."""
    return support(lake.connect([PROMOTION_DECISIONS, DECISION_ARGUMENTS, GATED_OBSERVATIONS, FEEDBACK]))


def support(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The same, from the four tables that it reads on `con`."""
    return asked(con, "promotion_support").to_pylist()


def newest_lag_in(lake: Lake) -> list[dict[str, Any]]:
    """How late the spans of the newest day came: rows of `source_lag`, by source."""
    newest = lake.days(RAW_SPANS)[-1:]
    if not newest:
        return []
    return rows_of_each(lake, ["source_lag"], [RAW_SPANS, LANDED_BATCHES], {RAW_SPANS.name: newest})[-1]
