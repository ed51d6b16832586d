"""Holds text that our own promoted prompts put there: an answer learned from itself proves nothing.

A compiled prompt carries its sections' headings; where they come back as a request or an answer, an
agent has logged its instructions as evidence.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

import re
from dataclasses import dataclass

import pyarrow.compute as pc

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import Verdict, first_that_holds, hold
from flywheel_assets.tables.documents.prompt_sections import EXAMPLES, LESSONS

# Arrow looks for an expression in a fortieth of the time that it takes for a substring.
_HEADINGS = "|".join(map(re.escape, (LESSONS, EXAMPLES)))


@dataclass(frozen=True, slots=True)
class Echo:
    """Looks for the headings of compiled prompts."""

    name: str = "echo"
    version: str = "1"
    order: int = 37
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Either heading in either text is enough."""
        rows = evidence.rows
        found = [pc.match_substring_regex(rows[field], _HEADINGS) for field in ("input_text", "output_text")]
        echoed = hold("echo", "the text repeats a promoted prompt")
        return first_that_holds(rows.num_rows, [(mask, echoed) for mask in found])


GATE = Echo()
