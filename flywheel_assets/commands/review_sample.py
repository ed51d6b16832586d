"""`flywheel review sample`: what gates are judged by, drawn at random, refused and admitted alike."""

from rich.table import Table as Grid
from rich.text import Text

from flywheel_assets.commands.envelope import Answer
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.snapshots.live import rows_of
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gate_verdicts import GATE_VERDICTS
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS, REJECTIONS

LONGEST = 120
_TEXTS = """
SELECT example_id, grain, skill, outcome, input_text, output_text FROM {table}
WHERE example_id IN (SELECT unnest($ids::VARCHAR[]))
"""


def sampled(places: Places, most: int) -> Answer:
    """Examples of the sample that nobody has reviewed, newest day first."""
    lake = Lake(places.lake)
    drawn = rows_of(lake, ["audit_sample"], [GATE_VERDICTS, FEEDBACK])
    waiting = [row for row in drawn if row["review"] is None][:most]
    con = lake.connect([GATED_OBSERVATIONS, REJECTIONS])
    ids = {"ids": [row["example_id"] for row in waiting]}
    said = {
        row["example_id"]: row
        for table in (GATED_OBSERVATIONS, REJECTIONS)
        for row in con.execute(_TEXTS.format(table=table.name), ids).to_arrow_table().to_pylist()
    }
    rows = [
        {"day": row["day"], "gates": row["objecting"], **said[row["example_id"]]}
        for row in waiting
        if row["example_id"] in said
    ]
    grid = Grid("example", "day", "skill", "gates", "outcome", "request", "answer", box=None)
    for row in rows:
        texts = (str(row[name] or "–")[:LONGEST] for name in ("input_text", "output_text"))
        gates = ", ".join(row["gates"]) or "all allow"
        outcome = "–" if row["outcome"] is None else f"{row['outcome']:g}"
        grid.add_row(row["example_id"], str(row["day"]), row["skill"] or "–", gates, outcome, *texts)
    said_so = ["flywheel review release EXAMPLE --by NAME", "flywheel review refuse EXAMPLE --by NAME"]
    return Answer(rows, [grid if rows else Text("Nothing waits for review.")], said_so if rows else [])
