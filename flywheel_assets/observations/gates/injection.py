"""Holds examples whose texts hold instructions planted for a model, until a person has looked.

Such a run says little about its arm (another's instructions were followed, or resisted), and its text
must never become a demonstration.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from flywheel_assets.observations.injection import HINT, SIGNALS, THRESHOLD, probability, signals
from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.texts import by_row
from flywheel_assets.observations.verdict import ALLOW, Verdict, hold


@dataclass(frozen=True, slots=True)
class Injection:
    """`least`: the probability of planted instructions from which an example is held."""

    least: float = THRESHOLD
    name: str = "injection"
    version: str = "1"
    order: int = 35
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Each distinct text is searched once."""
        verdicts = [ALLOW] * evidence.rows.num_rows
        # An error's type is too short to hold instructions.
        for field in ("input_text", "output_text"):
            for row, (names, likely) in by_row(evidence.rows[field], HINT, self._search).items():
                verdicts[row] = hold("injection", f"{field} reads like planted instructions: {names}", likely)
        return verdicts

    def _search(self, texts: pa.Array) -> dict[int, tuple[str, float]]:
        """The signals' names and the probability by position, for texts that are likely enough."""
        found = signals(texts)
        likely = probability(found)
        return {
            code: (
                ", ".join(signal.name for signal, is_there in zip(SIGNALS, found[code], strict=True) if is_there),
                round(float(likely[code]), 3),
            )
            for code in np.flatnonzero(likely >= self.least).tolist()
        }


GATE = Injection()
