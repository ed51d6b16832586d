"""Keeps what arms are compared by out of what prompts are made of, and what asks the same with it.

Runs of the canary, the holdout and the frozen arm say how good a prompt is. A prompt that contains
their requests, or nearly them, has seen its examination. They stay evidence for every score.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.signatures import (
    among,
    band_keys,
    comparable,
    differs_in_content,
    jaccard,
    minhash,
    words_of,
)
from flywheel_assets.observations.texts import kept
from flywheel_assets.observations.verdict import ALLOW, Verdict, remark
from flywheel_assets.tables.documents.remarks import EVALUATION, NEAR_EVALUATION

SEGMENTS = ("canary", "holdout", "frozen")
APART = remark(EVALUATION, "arms are compared by this run: no prompt is made of it")
NEAR = remark(NEAR_EVALUATION, "asks the same as a run that arms are compared by: no prompt is made of it")
# Comparisons per row at most: many variants of one request must not cost their square.
_MOST = 32


@dataclass(frozen=True, slots=True)
class Leakage:
    """`least`: the Jaccard similarity of word 5-grams from which two requests are nearly the same."""

    least: float = 0.9
    name: str = "leakage"
    version: str = "1"
    order: int = 52
    by_row: bool = False

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Requests are compared within a skill, across arms and users; `candidates/` looks at all days'."""
        rows = evidence.rows
        examined = pc.fill_null(pc.is_in(rows["segment"], pa.array(SEGMENTS)), False).to_numpy(zero_copy_only=False)
        asked = pc.and_(pc.is_valid(rows["input_text"]), pc.equal(rows["grain"], "run")).to_numpy(zero_copy_only=False)
        verdicts = np.full(rows.num_rows, ALLOW, object)
        verdicts[examined] = APART
        if (examined & asked).any() and not examined.all():
            skills = pc.fill_null(rows["skill"], "").combine_chunks().dictionary_encode()
            scopes = skills.indices.to_numpy(zero_copy_only=False).astype(np.int64)
            wanted = asked & np.isin(scopes, scopes[examined & asked])
            texts = kept(rows["input_text"], pa.array(wanted))
            words = comparable(texts, pa.chunked_array([pa.repeat("", len(texts))]))
            near = self._near(words, scopes[wanted], examined[wanted])
            verdicts[np.flatnonzero(wanted)[near]] = NEAR
        return verdicts.tolist()

    def _near(
        self, words: pa.ChunkedArray, scopes: npt.NDArray[np.int64], examined: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int64]:
        """Rows that are not examined and ask nearly what one asks that is."""
        keys = band_keys(minhash(words), scopes)
        shared = among(keys, keys[examined])
        shared[examined] = among(keys[examined], keys[~examined][shared[~examined]])
        index: dict[int, list[int]] = {}
        for row in np.flatnonzero(shared.any(axis=1) & examined).tolist():
            for key in keys[row][shared[row]].tolist():
                index.setdefault(key, []).append(row)
        found: list[int] = []
        for row in np.flatnonzero(shared.any(axis=1) & ~examined).tolist():
            others = dict.fromkeys(other for key in keys[row][shared[row]].tolist() for other in index[key])
            if any(self._same(words[row].as_py(), words[other].as_py()) for other in list(others)[:_MOST]):
                found.append(row)
        return np.array(found, np.int64)

    def _same(self, left: str, right: str) -> bool:
        if left == right:
            return True
        one, other = words_of(left), words_of(right)
        return jaccard(one, other) >= self.least and not differs_in_content(one, other)


GATE = Leakage()
