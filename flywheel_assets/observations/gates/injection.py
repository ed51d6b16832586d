"""Holds examples whose texts hold instructions planted for a model, until a person has looked.

Such a run says little about its arm (another's instructions were followed, or resisted), and its text
must never become a demonstration.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from dataclasses import dataclass

import numpy as np

from flywheel_assets.observations.injection import SIGNALS, THRESHOLD, probability, signals
from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import ALLOW, Verdict, hold

TEXT_FIELDS = ("input_text", "output_text")


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
        for field in TEXT_FIELDS:
            encoded = evidence.rows[field].combine_chunks().dictionary_encode()
            found = signals(encoded.dictionary)
            likely = probability(found)
            codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            hit = np.flatnonzero(likely >= self.least)
            for row in np.flatnonzero(np.isin(codes, hit)).tolist():
                names = ", ".join(
                    signal.name for signal, is_there in zip(SIGNALS, found[codes[row]], strict=True) if is_there
                )
                detail = f"{field} reads like planted instructions: {names}"
                verdicts[row] = hold("injection", detail, round(float(likely[codes[row]]), 3))
        return verdicts


GATE = Injection()
