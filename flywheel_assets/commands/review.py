"""`flywheel review …`: look at what the gates refused, and have the last word.

A review is posted feedback: it goes through the inbox, is kept with its author and time, and the next
turn rebuilds the example's day. Nothing is overwritten; a second word supersedes the first.
"""

from datetime import UTC, date, datetime
from typing import Literal

from rich.table import Table as Grid
from rich.text import Text

from flywheel_assets.commands.envelope import NOT_FOUND, Answer, RefusedError
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.sources.spool import Spool
from flywheel_assets.tables.documents.feedback import PostedFeedback
from flywheel_assets.tables.documents.review import RELEASE, REVIEW
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS, REJECTIONS

SHOWN = ("example_id", "day", "skill", "state", "gate", "reason", "outcome", "confidence")
LONGEST = 120

# A random share of what was refused: by the hash of its id, so that the same examples are asked about
# whoever asks, and which they are depends on nothing that a gate looked at.
_LISTED = """
SELECT example_id, grain, day, skill, state, gate, reason, outcome, confidence, input_text, output_text
FROM rejections
WHERE ($gate = '' OR gate = $gate) AND ($skill = '' OR skill = $skill)
    AND (hash(example_id) % 1000000) < $share * 1000000
ORDER BY day DESC, hash(example_id)
LIMIT $most
"""


def listed(places: Places, gate: str, skill: str, share: float, most: int) -> Answer:
    """Refused examples, newest day first; of a `share` of them, the same ones every time."""
    con = Lake(places.lake).connect([REJECTIONS])
    found = con.execute(_LISTED, {"gate": gate, "skill": skill, "share": share, "most": most})
    names = [column[0] for column in found.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    grid = Grid(*SHOWN, "request", "answer", box=None)
    for row in rows:
        texts = (str(row[name] or "–")[:LONGEST] for name in ("input_text", "output_text"))
        grid.add_row(*("–" if row[name] is None else str(row[name]) for name in SHOWN), *texts)
    actions = ["flywheel review release EXAMPLE --by NAME", "flywheel review refuse EXAMPLE --by NAME"] if rows else []
    return Answer(rows, [grid if rows else Text("Nothing was refused.")], actions)


def word(places: Places, example: str, verdict: str, by: str, comment: str | None) -> Answer:
    """Write down what `by` says of an example: 'release' or 'refuse'."""
    day, grain = _example(places, example, verdict)
    posted = PostedFeedback(
        target_kind=grain,
        target_id=example,
        name=REVIEW,
        value_text=verdict,
        comment=comment,
        tier="human",
        author_id=by,
        observed_at=datetime.now(UTC),
        day=day,
    )
    spool = Spool(places.inbox)
    try:
        spool.append(posted.model_dump_json().encode(), "feedback", "review")
    finally:
        spool.close()
    said = "released" if verdict == RELEASE else "refused"
    return Answer({"example": example, "review": verdict, "by": by}, [Text(f"{said}; kept")], ["flywheel run"])


def _example(places: Places, example: str, verdict: str) -> tuple[date, Literal["run", "span"]]:
    """Day and grain of an example that the verdict would change."""
    tables = [REJECTIONS] if verdict == RELEASE else [GATED_OBSERVATIONS, REJECTIONS]
    con = Lake(places.lake).connect(tables)
    for table in tables:
        sql = f'SELECT day, grain FROM "{table.name}" WHERE example_id = $example'
        found = con.execute(sql, {"example": example}).fetchall()
        if found:
            return found[0]
    state = "was refused" if verdict == RELEASE else "exists"
    raise RefusedError(f"no example {example!r} {state}", ["flywheel review list"], NOT_FOUND)
