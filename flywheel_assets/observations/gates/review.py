"""What a person said of an example, after all gates: released ones are evidence, refused ones never are.

The statement is posted feedback named 'flywheel.review'; the newest counts. A release outweighs every
gate but those that say there is nothing to admit (see `admit.py`), and takes no redaction back.
"""

from dataclasses import dataclass

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import ALLOW, Verdict, discard, remark
from flywheel_assets.tables.documents.review import REFUSE, RELEASE

RELEASED, REFUSED = "released", "refused_by_review"


@dataclass(frozen=True, slots=True)
class Review:
    """Reads `review` and `reviewer`, which are NULL for most examples."""

    name: str = "review"
    version: str = "1"
    order: int = 1000
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """An example nobody spoke of is left to the other gates."""
        verdicts = [ALLOW] * evidence.rows.num_rows
        said = evidence.rows["review"].combine_chunks()
        for row in said.is_valid().to_numpy(zero_copy_only=False).nonzero()[0].tolist():
            verdicts[row] = _verdict(said[row].as_py(), evidence.rows["reviewer"][row].as_py())
        return verdicts


def _verdict(review: str, reviewer: str | None) -> Verdict:
    if review == RELEASE:
        return remark(RELEASED, f"released by {reviewer}")
    return discard(REFUSED, f"refused by {reviewer}") if review == REFUSE else ALLOW


GATE = Review()
