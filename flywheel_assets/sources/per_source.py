"""What each source brought and lost, from the index alone."""

from datetime import datetime
from pathlib import Path

from flywheel_assets.lake.lake import Lake
from flywheel_assets.sources.foreign import forms
from flywheel_assets.sources.polling import POLLED
from flywheel_assets.sources.segments import FILES
from flywheel_assets.tables.landed_batches import LANDED_BATCHES

SQL = (Path(__file__).parent / "per_source.sql").read_text()
# Everything that landed_batches.source can say, but for what an operator named otherwise.
PUSHED = ("otlp", FILES, "feedback", *(form.name for form in forms()))
SOURCES = tuple(sorted({*PUSHED, *POLLED}))


def per_source(lake: Lake, landed_at: datetime) -> dict[str, dict[str, object]]:
    """By source: batches, spans, feedback, losses by kind, and when something last came; `landed_now` of them."""
    found = lake.connect([LANDED_BATCHES]).execute(SQL, {"landed_at": landed_at})
    names = [column[0] for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return {str(row.pop("source")): row for row in rows}
