"""What became of every attribute of decoded rows: counted from the rows themselves, a chunk at a time.

A chunk costs a pass over its keys; values are looked at only where a span spells one thing twice.
Keys with indexes count once a span. Attributes of resources, events and links are not counted.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import numpy as np
import pyarrow as pa

from flywheel_assets.spans.spelled import Spelling, spellings
from flywheel_assets.tables.dialect_losses import DIALECT_LOSSES

INDEX = re.compile(r"(?<=\.)\d+(?=\.|$)")
NONE, UNMAPPED = "none", "-"
# Columns that name the attribute with the content: what is in it is not compared.
CONTENT = ("input_key", "output_key")
# What became of an attribute on one span; of several indexes of it, the greatest counts.
SILENT, OUTRANKED, CONFLICTING, UNUSABLE, BELIEVED = 1, 2, 3, 4, 5
FATES = 6
# Rows, and what became of the attribute on each.
Told = tuple[np.ndarray, np.ndarray]


@lru_cache(65_536)
def unindexed(word: str) -> str:
    """The key with <i> for each number between its dots."""
    return INDEX.sub("<i>", word)


@dataclass(slots=True)
class Losses:
    """Spans by (dialect, attribute, column) and by what became of the attribute."""

    counts: dict[tuple[str, str, str | None], np.ndarray] = field(
        default_factory=dict[tuple[str, str, str | None], np.ndarray]
    )

    def add(self, rows: pa.RecordBatch) -> None:
        """Count the rows' attributes."""
        if not len(rows):
            return
        encoded = rows["dialect"].fill_null(NONE).dictionary_encode()
        dialects, codes = encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int32) * FATES
        told: dict[tuple[str, str | None], list[Told]] = defaultdict(list)
        by_column: dict[str, list[Spelling]] = defaultdict(list)
        for one in spellings(rows):
            if one.column is None:
                told[unindexed(one.word), None].append((one.owners, np.ones(len(one.owners), np.uint8)))
            else:
                by_column[one.column].append(one)
        for column, several in by_column.items():
            for one, fate in _judged(column, several, rows):
                told[unindexed(one.word), column].append((one.owners, fate))
        for key, several in told.items():
            owners, fate = several[0] if len(several) == 1 else _greatest(several, len(rows))
            found = np.bincount(codes[owners] + fate, minlength=FATES * len(dialects)).reshape(-1, FATES)
            for number in np.flatnonzero(found.any(1)).tolist():
                place = (dialects[number], *key)
                self.counts[place] = self.counts.get(place, 0) + found[number]

    def merge(self, other: "Losses") -> None:
        """Add what another counted."""
        for place, fates in other.counts.items():
            self.counts[place] = self.counts.get(place, 0) + fates

    def table(self, day: date) -> pa.Table:
        """`dialect_losses` of the day."""
        rows = [
            {
                "day": day,
                "dialect": dialect,
                "attribute": attribute,
                "column_name": column or UNMAPPED,
                "spans": int(fates[1:].sum()),
                **({} if column is None else _told(column, fates)),
            }
            for (dialect, attribute, column), fates in sorted(
                self.counts.items(), key=lambda one: (one[0][0], one[0][1], one[0][2] or "")
            )
        ]
        return DIALECT_LOSSES.conform(DIALECT_LOSSES.rows(rows))


def _told(column: str, fates: np.ndarray) -> dict[str, int | None]:
    return {
        "believed": int(fates[BELIEVED]),
        "outranked": int(fates[OUTRANKED] + fates[CONFLICTING]),
        "conflicting": None if column in CONTENT else int(fates[CONFLICTING]),
        "silent": int(fates[SILENT]),
        "unusable": int(fates[UNUSABLE]),
    }


def _greatest(several: list[Told], size: int) -> Told:
    """One fate per row: the greatest that is told of it."""
    fates = np.zeros(size, np.uint8)
    for owners, fate in several:
        fates[owners] = np.maximum(fates[owners], fate)
    owners = np.flatnonzero(fates)
    return owners, fates[owners]


def _judged(column: str, several: list[Spelling], rows: pa.RecordBatch) -> Iterator[tuple[Spelling, np.ndarray]]:
    """Believe the best spelling of each span, and say what became of each spelling's entries."""
    held = rows[column].is_valid().to_numpy(zero_copy_only=False)
    taken = np.full(len(rows), -1, np.int32)
    ordered = sorted(several, key=lambda one: one.rank)
    for number, one in enumerate(ordered):
        said = np.where(one.silent, np.uint8(SILENT), np.uint8(BELIEVED))
        late = (taken[one.owners] >= 0) & ~one.silent
        said[late] = OUTRANKED
        if column not in CONTENT and late.any():
            said[np.flatnonzero(late)[_differ(one, late, taken, ordered)]] = CONFLICTING
        fresh = said == BELIEVED
        taken[one.owners[fresh]] = number
        if column == "operation":
            # A rule that goes by the span's name can tell otherwise.
            said[fresh & one.differs_from(rows[column])] = CONFLICTING
        said[fresh & ~held[one.owners]] = UNUSABLE
        yield one, said


def _differ(one: Spelling, late: np.ndarray, taken: np.ndarray, ordered: list[Spelling]) -> np.ndarray:
    """Among the late entries, those that say something else than who was believed."""
    entries = np.flatnonzero(late)
    believed = taken[one.owners[entries]]
    found = np.zeros(len(entries), bool)
    for number in np.unique(believed):
        other = ordered[number]
        # Indexes of one attribute are parts of one thing, not two spellings.
        if unindexed(other.word) != unindexed(one.word):
            these = believed == number
            found[these] = one.differs(entries[these], other)
    return found
