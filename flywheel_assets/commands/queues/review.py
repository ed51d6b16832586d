"""What the gates refused, for a person's last word: as `flywheel review …` does."""

from typing import Any

from flywheel_assets.commands.envelope import RefusedError
from flywheel_assets.commands.review import refused, word
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.receiver.desk.work import Choice, Item, Page, Queue, UnfitError, Word
from flywheel_assets.tables.documents.review import REFUSE, RELEASE
from flywheel_assets.tables.gated_observations import REJECTIONS

CHOICES = (Choice(RELEASE, "Release", "l"), Choice(REFUSE, "Refuse", "r"))
# On one page; the newest days come first.
SHOWN = 50
# Its refusals are people's own words.
BY_PEOPLE = "review"


def queue(places: Places) -> Queue:
    """Examples that no person has refused yet, newest day first."""
    return Queue(
        "review",
        "Review",
        "Examples that a gate refused. Released, they become evidence; refused, they stay out by your word.",
        lambda part: listed(places, part),
        lambda said: take(places, said),
    )


def listed(places: Places, part: str) -> Page:
    """The examples of one gate, or of all; and how many each gate refused."""
    counts = (
        Lake(places.lake)
        .connect([REJECTIONS])
        .execute(
            "SELECT gate, count(*) FROM rejections WHERE gate <> $people GROUP BY gate ORDER BY gate",
            {"people": BY_PEOPLE},
        )
    )
    gates = [(str(gate), int(count)) for gate, count in counts.fetchall()]
    rows = [
        row
        for gate in ([part] if part else [name for name, _ in gates])
        for row in refused(places, gate, "", 1.0, SHOWN)
    ]
    newest = sorted(rows, key=lambda row: row["day"], reverse=True)
    return Page(tuple(_item(row) for row in newest[:SHOWN]), tuple(gates))


def take(places: Places, said: Word) -> str:
    """What the command of the same name does."""
    if said.verb not in {choice.verb for choice in CHOICES}:
        raise UnfitError(f"no such answer: {said.verb}")
    try:
        word(places, said.item, said.verb, said.by, said.comment)
    except RefusedError as error:
        raise UnfitError(str(error)) from error
    return f"{'released' if said.verb == RELEASE else 'refused'}; the next turn acts on it"


def _item(row: dict[str, Any]) -> Item:
    shown = "not labeled" if row["outcome"] is None else f"{row['outcome']:g}, believed {row['confidence'] or 0:.0%}"
    return Item(
        row["example_id"],
        f"{row['gate']}: {row['reason']}",
        CHOICES,
        (("skill", row["skill"] or "–"), ("day", str(row["day"])), ("state", row["state"]), ("outcome", shown)),
        tuple(
            (name, row[column])
            for name, column in (("Request", "input_text"), ("Answer", "output_text"))
            if row[column]
        ),
    )
