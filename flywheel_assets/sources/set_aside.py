"""span_rejections for landed batches that have spans set aside and no rows there yet.

They are derived from the landed bytes and the row's own landing time, so a landing that was killed
between the two tables is completed by the next one, with the same rows.
"""

import hashlib
from pathlib import Path

from flywheel_assets.lake.lake import Lake
from flywheel_assets.sources.payloads import Place, read_payloads
from flywheel_assets.sources.scan import scan
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.span_rejections import SPAN_REJECTIONS

_MISSING = f"""
SELECT batch_id, format, landed_at, file, "offset", length
FROM {LANDED_BATCHES.name} ANTI JOIN {SPAN_REJECTIONS.name} USING (batch_id)
WHERE status = 'accepted' AND spans_set_aside > 0
ORDER BY file, ordinal
"""


def write_set_aside(lake: Lake, landing: Path) -> int:
    """Append the missing rows; returns how many."""
    missing = lake.connect([LANDED_BATCHES, SPAN_REJECTIONS]).execute(_MISSING).fetchall()
    payloads = read_payloads(landing, (Place(*row[3:]) for row in missing))
    rows = [
        {
            "batch_id": batch_id,
            "position": aside.position,
            "reason": aside.reason,
            "detail": aside.detail,
            "trace_id": aside.trace_id,
            "span_id": aside.span_id,
            "landed_at": landed_at,
        }
        for (batch_id, format_, landed_at, *_), payload in zip(missing, payloads, strict=True)
        for aside in scan([payload], format_, landed_at)[0].set_aside
    ]
    if rows:
        key = hashlib.sha256("\n".join(sorted(row[0] for row in missing)).encode()).hexdigest()
        lake.append(SPAN_REJECTIONS, SPAN_REJECTIONS.rows(rows), key=key)
    return len(rows)
