"""Finds personal data in the example's texts so that they are redacted before anything is written.

The example stays evidence: whom a request was about says nothing of how well it was served. But its
text is marked, and marked text never reaches a prompt. How much is found is measured on sentences with
planted data: all numbers of fixed form, about half of addresses, a good third of people's names.
"""

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

from flywheel_assets.observations.personal import ANY_HINT, find_personal, hinted
from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.texts import TEXT_FIELDS, Stretch, by_row
from flywheel_assets.observations.verdict import ALLOW, Offset, Verdict, remark


@dataclass(frozen=True, slots=True)
class PersonalData:
    """A remark with the offsets of all personal data that are found."""

    name: str = "personal_data"
    version: str = "1"
    order: int = 32
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Each distinct text is searched once, and only for the kinds that it hints at."""
        found: dict[int, list[tuple[str, Stretch]]] = {}
        for field in TEXT_FIELDS:
            for row, data in by_row(evidence.rows[field], ANY_HINT, _search).items():
                found.setdefault(row, []).extend((field, datum) for datum in data)
        verdicts = [ALLOW] * evidence.rows.num_rows
        for row, hits in found.items():
            kinds = Counter(datum.kind for _, datum in hits)
            detail = ", ".join(f"{count} × {kind}" for kind, count in sorted(kinds.items()))
            offsets = tuple(sorted(Offset(field, datum.start, datum.end) for field, datum in hits))
            verdicts[row] = remark("personal_data", detail, offsets, 0.8)
        return verdicts


def _search(texts: pa.Array) -> dict[int, list[Stretch]]:
    """Personal data by position, for texts that have any."""
    hints = hinted(texts).items()
    return {code: found for code, kinds in hints if (found := find_personal(texts[code].as_py(), kinds))}


GATE = PersonalData()
