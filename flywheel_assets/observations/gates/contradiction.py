"""Holds runs that answered the same request with the same words and yet were told to have gone both ways.

One of the outcomes is wrong, and nothing here says which: both sides are held, so that neither
successes nor failures are favoured. The same answer in two arms is the same answer.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.signatures import SLOTS, comparable, minhash, salted, salts
from flywheel_assets.observations.verdict import Verdict, first_that_holds, hold

# So many slots of a signature are one 64-bit number.
_BEGIN = 2


@dataclass(frozen=True, slots=True)
class Contradiction:
    """`apart`: how far the outcomes of one text must be apart to contradict each other."""

    apart: float = 0.6
    name: str = "contradiction"
    version: str = "1"
    order: int = 55
    by_row: bool = False

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Runs of the day without captured text, or without an outcome, contradict nothing."""
        rows = evidence.rows
        captured = pc.and_(pc.is_valid(rows["input_text"]), pc.is_valid(rows["output_text"]))
        usable = pc.and_(pc.and_(captured, pc.equal(rows["grain"], "run")), pc.is_valid(rows["outcome"]))
        places = _alike(rows, np.flatnonzero(usable.to_numpy(zero_copy_only=False)))
        said = rows.select(["skill", "outcome", "input_text", "output_text"]).take(places)
        said = said.set_column(0, "skill", pc.fill_null(said["skill"], "")).append_column("place", places)
        said = said.append_column("words", comparable(said["input_text"], said["output_text"]))
        torn = said.join(self._torn(said), ["skill", "words"], join_type="left semi")["place"]
        mask = pc.is_in(pa.array(range(rows.num_rows)), torn.combine_chunks())
        detail = "the same request and answer have outcomes that contradict each other"
        return first_that_holds(rows.num_rows, [(mask, hold("contradiction", detail))])

    def _torn(self, said: pa.Table) -> pa.Table:
        """The skills and words whose outcomes are too far apart."""
        spread = said.group_by(["skill", "words"]).aggregate([("outcome", "min"), ("outcome", "max")])
        apart = pc.greater_equal(pc.subtract(spread["outcome_max"], spread["outcome_min"]), self.apart)
        return spread.filter(apart).select(["skill", "words"])


def _alike(rows: pa.Table, places: npt.NDArray[np.int64]) -> pa.Array:
    """Of those places the ones whose signature, whatever the arm, begins as another's: no others say the same."""
    known = pc.list_value_length(rows["minhash"]).to_numpy() > 0
    signed, bare = places[known[places]], places[~known[places]]
    begun = pc.list_flatten(rows["minhash"]).to_numpy().reshape(-1, SLOTS)[:, :_BEGIN].astype(np.uint32)
    begun = salted(begun[np.cumsum(known)[signed] - 1], salts(rows).take(pa.array(signed)))
    said = (rows[name].take(pa.array(bare)) for name in ("input_text", "output_text"))
    begins = np.concatenate((begun, minhash(comparable(*said))[:, :_BEGIN])).view(np.uint64).ravel()
    _, which, counts = np.unique(begins, return_inverse=True, return_counts=True)
    return pa.array(np.concatenate((signed, bare))[counts[which] > 1])


GATE = Contradiction()
