"""Remarks on runs to which a tool gave back instructions planted for a model, and names the span.

The run stays evidence: agents meet such pages in production, and how well an arm fares then is worth knowing. But
what the agent wrote after reading it may be the planter's words, so nothing of the run is made into a prompt.
"""

from dataclasses import dataclass

import numpy as np

from flywheel_assets.observations.injection import SIGNALS, THRESHOLD, probability, signals
from flywheel_assets.observations.registry import Evidence
from flywheel_assets.observations.verdict import ALLOW, Verdict, remark
from flywheel_assets.tables.documents.remarks import INJECTED_TOOL_RESULT


@dataclass(frozen=True, slots=True)
class ToolResults:
    """`least`: the probability of planted instructions from which a result is remarked on."""

    least: float = THRESHOLD
    name: str = "tool_results"
    version: str = "1"
    order: int = 36
    by_row: bool = True

    def judge(self, evidence: Evidence) -> list[Verdict]:
        """Of a run's results the likeliest is named; its spans' examples share its fate."""
        results = evidence.tool_results
        if not results.num_rows:
            return [ALLOW] * evidence.rows.num_rows
        found = signals(results["text"].combine_chunks())
        likely = probability(found)
        runs, spans = (results[name].to_pylist() for name in ("run_id", "span_id"))
        worst: dict[str, tuple[float, str]] = {}
        for row in np.flatnonzero(likely >= self.least).tolist():
            names = ", ".join(signal.name for signal, there in zip(SIGNALS, found[row], strict=True) if there)
            said = (float(likely[row]), f"the tool result of span {spans[row]} reads like planted: {names}")
            worst[runs[row]] = max(worst.get(runs[row], said), said)
        verdicts = {run: remark(INJECTED_TOOL_RESULT, why, (), round(sure, 3)) for run, (sure, why) in worst.items()}
        return [verdicts.get(run, ALLOW) for run in evidence.rows["run_id"].to_pylist()]


GATE = ToolResults()
