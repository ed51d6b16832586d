"""`flywheel review …`: look at what the gates refused, and have the last word.

A review is posted feedback: it goes through the inbox, is kept with its author and time, and the next
turn rebuilds the example's day. Nothing is overwritten; a second word supersedes the first.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal

from rich.table import Table as Grid
from rich.text import Text

from flywheel_assets.commands.envelope import NOT_FOUND, Answer, RefusedError
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.sources.spool import Spool
from flywheel_assets.tables.documents.feedback import PostedFeedback
from flywheel_assets.tables.documents.review import REFUSE, RELEASE, REVIEW
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS, REJECTIONS
from flywheel_assets.tables.table import Table

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


def refused(places: Places, gate: str, skill: str, share: float, most: int) -> list[dict[str, Any]]:
    """Refused examples, newest day first; of a `share` of them, the same ones every time."""
    con = Lake(places.lake).connect([REJECTIONS])
    found = con.execute(_LISTED, {"gate": gate, "skill": skill, "share": share, "most": most})
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def listed(places: Places, gate: str, skill: str, share: float, most: int) -> Answer:
    """Refused examples as a table."""
    rows = refused(places, gate, skill, share, most)
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


def confirmed(places: Places, example: str, by: str, comment: str | None) -> Answer:
    """Write down that `by` refuses what a gate refused; of an example that was admitted there is nothing to confirm."""
    _found(places, example, [REJECTIONS], "was refused")
    return word(places, example, REFUSE, by, comment)


def _example(places: Places, example: str, verdict: str) -> tuple[date, Literal["run", "span"]]:
    """Day and grain of an example that the verdict would change."""
    if verdict == RELEASE:
        return _found(places, example, [REJECTIONS], "was refused")
    return _found(places, example, [GATED_OBSERVATIONS, REJECTIONS], "exists")


def _found(places: Places, example: str, tables: Sequence[Table], state: str) -> tuple[date, Literal["run", "span"]]:
    con = Lake(places.lake).connect(tables)
    for table in tables:
        sql = f'SELECT day, grain FROM "{table.name}" WHERE example_id = $example'
        found = con.execute(sql, {"example": example}).fetchall()
        if found:
            return found[0]
    raise RefusedError(f"no example {example!r} {state}", ["flywheel review list"], NOT_FOUND)
