"""Anchors of earlier days: what people answered, and the log-odds that their answers put right.

A day collects few answers about the standing sample. Each keeps them beside what its label sets had said of the
runs, and later days learn from both for as long as the same voices are heard: people are one voice, whoever they
are; another version of a check, a judge or a rule is another. A judge that states no version is never carried over:
nobody could tell when what was learned of it ceases to hold.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.examples.fusion.calibrate import log_odds, logistic
from flywheel_assets.examples.fusion.votes import Index, Numbers
from flywheel_assets.tables.anchored_opinions import ANCHORED_OPINIONS

HUMAN, JUDGE = "human", "judge"
SPEAKERS = ("tier", "labeler", "labeler_version", "author_id", "author_version")
# Log-odds are kept in steps of it: a vote more or less on a day shall not unsettle the days after it.
STEP = 1 / 8


@dataclass(frozen=True, slots=True)
class Answered:
    """How likely opinions were to be right, and what people answered (0 to 1)."""

    chance: Numbers
    answer: Numbers


NOTHING = Answered(np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True)
class Earlier:
    """`anchored_opinions` of the days before, by (tier, skill), as far as their voices are heard on the day."""

    kept: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]

    @classmethod
    def of(cls, rows: pa.Table, votes: pa.Table) -> "Earlier":
        """From `anchored_opinions` and the day's votes."""
        kept: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        heard = _heard(votes) if len(rows) else {}
        for row in rows.to_pylist():
            if heard.get((row["tier"], row["skill"]), set[str]()).issuperset(row["voices"]):
                kept[row["tier"], row["skill"]].append(row)
        return cls(kept)

    def on(self, called: Mapping[str, str], basis: str) -> Answered:
        """Those of a label set's runs whose probabilities were got on the same basis."""
        rows = self.kept.get((called["tier"], called["skill"]), ()) if called["grain"] == "run" else ()
        mine = [row for row in rows if row["basis"] == basis]
        if not mine:
            return NOTHING
        odds, answer = (np.array([row[name] for row in mine], np.float64) for name in ("log_odds", "answer"))
        return Answered(logistic(odds), answer)


NOBODY = Earlier({})


@dataclass(frozen=True, slots=True)
class Opined:
    """What a label set said, on what basis, of the examples (by number) that people answered about."""

    called: Mapping[str, str]
    basis: str
    example: Index
    answered: Answered


def anchored(said: Sequence[Opined], votes: pa.Table, examples: pa.StringArray) -> pa.Table:
    """`anchored_opinions` without its day."""
    schema = ANCHORED_OPINIONS.empty().drop_columns(["day"]).schema
    said = [one for one in said if len(one.example) and one.called["grain"] == "run"]
    if not said:
        return schema.empty_table()
    names = examples.take(pa.array(np.unique(np.concatenate([one.example for one in said]))))
    cast = votes.filter(pc.and_(pc.is_in(votes.column("example_id"), names), votes.column("decides"))).to_pylist()
    answered_at = dict(sorted((vote["example_id"], vote["observed_at"]) for vote in cast if vote["anchor"]))
    voices: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    for vote in cast:
        if not vote["anchor"]:
            voices[vote["example_id"], vote["tier"]].add(_voice(vote))
    rows: list[dict[str, object]] = []
    for one in said:
        odds, tier = np.round(log_odds(one.answered.chance) / STEP) * STEP, one.called["tier"]
        told = zip(examples.take(pa.array(one.example)).to_pylist(), odds, one.answered.answer, strict=True)
        for name, sure, answer in told:
            heard = voices[name, tier]
            row: dict[str, object] = {
                "example_id": name,
                "tier": tier,
                "skill": one.called["skill"],
                "basis": one.basis,
                "log_odds": sure,
            }
            row |= {"answer": answer, "answered_at": answered_at[name], "voices": sorted(filter(None, heard))}
            rows += [row] * (None not in heard)
    return pa.Table.from_pylist(rows, schema)


def _heard(votes: pa.Table) -> dict[tuple[str, str], set[str]]:
    """By tier and skill, whose votes on runs may decide."""
    own = votes.filter(pc.and_(pc.equal(votes.column("grain"), "run"), votes.column("decides")))
    heard: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in own.group_by([*SPEAKERS, "skill"]).aggregate([]).to_pylist():
        if (voice := _voice(row)) is not None:
            heard[row["tier"], row["skill"] or "-"].add(voice)
    return heard


def _voice(vote: Mapping[str, Any]) -> str | None:
    """Who spoke, in which version; None: a judge of no version."""
    rule, author, version = f"{vote['labeler']} {vote['labeler_version']}", vote["author_id"], vote["author_version"]
    if vote["tier"] == HUMAN:
        return rule
    if vote["tier"] == JUDGE and version is None and author != vote["labeler"]:
        return None
    return f"{rule} {author} {version or '-'}"
