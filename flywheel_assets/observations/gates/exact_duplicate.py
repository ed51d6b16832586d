"""Discards a run whose content equals that of an earlier run of the same session or user.

Equal content from different people is evidence each time; the same person's is a replay or a
retransmission, and counts once.
"""

from dataclasses import dataclass

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import ALLOW, Verdict, discard


@dataclass(frozen=True, slots=True)
class ExactDuplicate:
    """The first by start time is kept; what is equal is defined by `observations/sign.sql`."""

    name: str = "exact_duplicate"
    version: str = "1"
    order: int = 40
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Rows of a repeated run's spans go with the run."""
        return [
            ALLOW if first is None else discard("exact_duplicate", f"same content as run {first}")
            for first in evidence.rows["same_as"].to_pylist()
        ]


GATE = ExactDuplicate()
