"""Holds all that a source says of a skill while its word of an arm is out of line with all others', over days.

Of all its arms, because arms are compared: were one arm's runs left out alone, it would be compared on other
tasks than the rest. The days before the source was found out are held as well, as far back as the evidence goes.
"""

from dataclasses import dataclass

from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import ALLOW, Verdict, hold


@dataclass(frozen=True, slots=True)
class OutOfLine:
    """Reads `out_of_line`, which is NULL for most examples: see `source_findings`."""

    name: str = "out_of_line"
    version: str = "1"
    order: int = 57
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """A service without a finding is left to the other gates."""
        column = evidence.rows["out_of_line"].combine_chunks().dictionary_encode()
        found = [
            hold("out_of_line_for_days", f"this service's word of {arm} is out of line with all others'")
            for arm in column.dictionary.to_pylist()
        ]
        return [ALLOW if code is None else found[code] for code in column.indices.to_pylist()]


GATE = OutOfLine()
