"""Runs that people are asked about, for a word on how they went: as `flywheel labels …` does."""

from collections.abc import Mapping
from typing import Any

from flywheel_assets.commands.envelope import RefusedError
from flywheel_assets.commands.labels import answered, asked_for
from flywheel_assets.lake.places import Places
from flywheel_assets.receiver.desk.work import Choice, Item, Page, Queue, UnfitError, Word
from flywheel_assets.tables.documents.queue import MARK, QUEUES, UNCLEAR

CHOICES = (Choice("pass", "Good", "g"), Choice("fail", "Bad", "b"), Choice(UNCLEAR, "Cannot tell", "u"))
SAID = {"pass": "good", "fail": "bad", UNCLEAR: "cannot tell"}
# Of each queue at most so many are asked about, of runs of the last so many days.
SHOWN, DAYS = 50, 14


def queue(places: Places) -> Queue:
    """Questions of the standing sample first: these are what judges are measured by."""
    return Queue(
        "labels",
        "Labels",
        "How did these runs go? Nothing that a judge said is shown: an answer is worth most where nobody prompted it.",
        lambda part: listed(places, part),
        lambda word: take(places, word),
    )


def listed(places: Places, part: str) -> Page:
    """The questions of one queue, or of all, a run once; and how many each has."""
    rows = {name: asked_for(places, name, SHOWN, DAYS) for name in QUEUES}
    shown = [row for name in QUEUES if part in {"", name} for row in rows[name]]
    once: dict[object, Mapping[str, Any]] = {}
    for row in shown:
        once.setdefault(row["target_id"], row)
    return Page(tuple(map(_item, once.values())), tuple((name, len(rows[name])) for name in QUEUES if rows[name]))


def take(places: Places, word: Word) -> str:
    """What `flywheel labels answer` does."""
    if word.verb not in SAID:
        raise UnfitError(f"no such answer: {word.verb}")
    name, _, run = word.item.partition(":")
    filled = {"verdict": word.verb, "author": word.by, "comment": word.comment, "correction": word.correction}
    try:
        answered(places, name, run, {key: value for key, value in filled.items() if value})
    except RefusedError as error:
        raise UnfitError(str(error)) from error
    return f"{SAID[word.verb]}; the next turn learns from it"


def _item(row: Mapping[str, Any]) -> Item:
    return Item(
        f"{row[MARK]}:{row['target_id']}",
        f"{row['skill'] or 'a run'}: {row['why']}",
        CHOICES,
        (("day", str(row["day"])), ("run", row["target_id"])),
        (("Request", row["request"]), ("Answer", row["answer"])),
        correctable=True,
    )
