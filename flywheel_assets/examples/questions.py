"""What people are asked: the rows of a labelling queue, in texts that may be shown to them.

Nothing that a judge or a labeler said is shown: an answer is worth most where nobody prompted it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.documents.anchors import ANCHOR, DRAW, SHARE
from flywheel_assets.tables.documents.queue import ANCHORS, LABEL, MARK, SUSPECTS, UNLABELED
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.table import Table

HERE = Path(__file__).with_name("queues")
READS: dict[str, tuple[Table, ...]] = {
    ANCHORS: (AGENT_RUNS, FEEDBACK),
    SUSPECTS: (LABELED_EXAMPLES, FEEDBACK),
    UNLABELED: (LABELED_EXAMPLES,),
}
# Where in a text something is that must not be shown, and what it is.
Finder = Callable[[str], Iterable[tuple[int, int, str]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which queue; at most so many questions, about runs of the last `days` days before `until`."""

    queue: str
    until: date
    most: int = 100
    days: int = 14
    share: float = SHARE


def questions(con: duckdb.DuckDBPyConnection, asked: Asked, finders: Sequence[Finder]) -> list[dict[str, object]]:
    """The queue's open questions, from its tables of `READS`."""
    values = {"since": asked.until - timedelta(days=asked.days), "until": asked.until, "most": asked.most}
    if asked.queue == ANCHORS:
        values |= {"share": asked.share, "anchor": ANCHOR}
    if asked.queue == SUSPECTS:
        values |= {"label": LABEL}
    found = con.execute((HERE / f"{asked.queue}.sql").read_text().replace("{draw}", DRAW), values)
    names = [column[0] for column in found.description or ()]
    rows = (dict(zip(names, row, strict=True)) for row in found.fetchall())
    texts = ("request", "answer")
    return [{MARK: asked.queue, **row, **{name: without(row[name], finders) for name in texts}} for row in rows]


def without(text: str, finders: Sequence[Finder]) -> str:
    """The text with [what] in place of everything that is found."""
    parts: list[str] = []
    done = 0
    for start, end, kind in sorted(found for find in finders for found in find(text)):
        if start >= done:
            parts += [text[done:start], f"[{kind}]"]
        done = max(done, end)
    return "".join([*parts, text[done:]])
