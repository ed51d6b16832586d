"""A day's label sets in words: how each was fused, and whether people's answers put its confidence right."""

import pyarrow as pa

from flywheel_assets.tables.labeler_reliability import LABELER_RELIABILITY
from flywheel_assets.tables.steps import LABEL

# The first so many are told; a day of more skills than that is looked up in the table.
MOST = 50


def told(*tables: pa.Table) -> dict[str, dict[str, str]]:
    """Of what `label` returns: by set its method and its calibration, from `labeler_reliability` of the day."""
    reliability = tables[LABEL.writes.index(LABELER_RELIABILITY)]
    sets = reliability.group_by(["tier", "grain", "skill", "method", "calibration"]).aggregate([])
    ordered = sets.sort_by([(name, "ascending") for name in ("skill", "grain", "tier")]).slice(0, MOST)
    said = {
        f"{one['skill']}: {one['tier']} on {one['grain']}s": f"{one['method']}, {one['calibration']}"
        for one in ordered.to_pylist()
    }
    return {"label sets": said}
