"""Discards a run that says almost the same as an earlier run of the same session or user, skill and arm.

Almost: nine tenths of all word 5-grams, and nothing that carries meaning replaced. Within the day the
texts themselves are compared; of earlier days only signatures are kept, which cannot tell one changed
word from none, so a match there is remarked on and refused by nobody.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.signatures import (
    SLOTS,
    Slots,
    among,
    band_keys,
    comparable,
    differs_in_content,
    jaccard,
    words_of,
)
from flywheel_assets.observations.verdict import ALLOW, Verdict, discard, remark

# Comparisons per row at most: a thousand variants of one text must not cost a million comparisons.
_MOST = 32
_COMPARED = ("run_id", "start_time", "scope")


@dataclass(frozen=True, slots=True)
class _Signed:
    """Signed rows: their signatures and their band keys."""

    ids: list[str]
    slots: Slots
    keys: npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """`least`: the Jaccard similarity of word 5-grams from which two texts are near."""

    least: float = 0.9
    name: str = "near_duplicate"
    version: str = "1"
    order: int = 50
    by_row: bool = False

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Rows are taken by start time, and each is compared with those that were kept before it."""
        rows = evidence.rows
        compared = pc.and_(
            pc.and_(pc.equal(rows["grain"], "run"), pc.not_equal(rows["scope"], "")), pc.is_null(rows["same_as"])
        )
        # Texts and signatures are long: they stay where they are until it is known which are asked for.
        runs = rows.select(_COMPARED).append_column("place", pa.array(range(rows.num_rows)))
        runs = runs.filter(compared)
        runs = runs.filter(_not_alone(runs["scope"], evidence.earlier["scope"]))
        runs = runs.sort_by([("start_time", "ascending"), ("run_id", "ascending")])
        if not runs.num_rows:
            return [ALLOW] * rows.num_rows
        runs = runs.append_column("minhash", rows["minhash"].take(runs["place"]))
        today, earlier = _signed(runs, evidence.earlier)
        near = (self._before(today, earlier) if earlier.ids else {}) | self._today(rows, runs["place"], today)
        return [near.get(run, ALLOW) for run in rows["run_id"].to_pylist()] if near else [ALLOW] * rows.num_rows

    def _today(self, rows: pa.Table, places: pa.ChunkedArray, today: _Signed) -> dict[str, Verdict]:
        kept: dict[int, list[int]] = {}
        near: dict[str, Verdict] = {}
        keys = np.sort(today.keys, axis=None)
        shared = among(today.keys, keys[1:][keys[1:] == keys[:-1]])
        several = np.flatnonzero(shared.any(axis=1))
        spots = places.take(pa.array(several))
        texts = comparable(*(rows[field].take(spots) for field in ("input_text", "output_text")))
        words = {row: words_of(text.as_py()) for row, text in zip(several.tolist(), texts, strict=True)}
        for row, said in words.items():
            mine: list[int] = today.keys[row][shared[row]].tolist()
            candidates = dict.fromkeys(number for key in mine for number in kept.get(key, ()))
            for number in islice(candidates, _MOST):
                similarity = self._similarity(said, words[number])
                if similarity is not None:
                    detail = f"similarity {similarity:.2f} with run {today.ids[number]}"
                    near[today.ids[row]] = discard("near_duplicate", detail, 0.8)
                    break
            else:
                for key in mine:
                    kept.setdefault(key, []).append(row)
        return near

    def _similarity(self, left: Sequence[str], right: Sequence[str]) -> float | None:
        """The exact similarity of near texts; None where they are not near."""
        similarity = jaccard(left, right)
        return similarity if similarity >= self.least and not differs_in_content(left, right) else None

    def _before(self, today: _Signed, earlier: _Signed) -> dict[str, Verdict]:
        near: dict[str, Verdict] = {}
        index: dict[int, list[int]] = {}
        met = among(today.keys, earlier.keys)
        shared = among(earlier.keys, today.keys[met])
        for row in np.flatnonzero(shared.any(axis=1)).tolist():
            for key in earlier.keys[row][shared[row]].tolist():
                index.setdefault(key, []).append(row)
        for row in np.flatnonzero(met.any(axis=1)).tolist():
            candidates = {number for key in today.keys[row].tolist() for number in islice(index.get(key, ()), _MOST)}
            for number in sorted(candidates):
                if float(np.mean(today.slots[row] == earlier.slots[number])) >= self.least:
                    detail = f"signature like that of run {earlier.ids[number]} on an earlier day"
                    near[today.ids[row]] = remark("near_duplicate_possible", detail, (), 0.5)
                    break
        return near


def _numbered(*scopes: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """One number per scope, over all of them one after the other."""
    both = pa.chunked_array([chunk for each in scopes for chunk in each.chunks], pa.string())
    return both.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _not_alone(scopes: pa.ChunkedArray, earlier: pa.ChunkedArray) -> pa.Array:
    """Which rows' scopes another row has, or an earlier one: most are met once."""
    codes = _numbered(scopes, earlier)
    return pa.array(np.bincount(codes)[codes[: len(scopes)]] > 1)


def _signed(runs: pa.Table, earlier: pa.Table) -> tuple[_Signed, _Signed]:
    """Both sides' signatures, their scopes numbered alike."""
    codes = _numbered(runs["scope"], earlier["scope"])
    sides: list[_Signed] = []
    for table, ids, part in (
        (runs, runs["run_id"], codes[: runs.num_rows]),
        (earlier, earlier["example_id"], codes[runs.num_rows :]),
    ):
        slots = pc.list_flatten(table["minhash"]).to_numpy().astype(np.uint32).reshape(-1, SLOTS)
        sides.append(_Signed(ids.to_pylist(), slots, band_keys(slots, part)))
    return sides[0], sides[1]


GATE = NearDuplicate()
