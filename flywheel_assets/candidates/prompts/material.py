"""The runs that a prompt may be made of: admitted, judged with confidence, their text whole, captured, and no test."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flywheel_assets.tables.documents.remarks import EVALUATION, NOT_FOR_PROMPTS

# A fused label less sure than this teaches nothing.
CONFIDENT = 0.75
SUCCESS, FAILURE = 0.75, 0.25


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what it was asked, what it answered, and whether that was right."""

    run_id: str
    start: str
    session: str
    prompt_version: str
    question: str
    answer: str
    error: str | None
    good: bool
    weight: float


def usable(rows: Iterable[Mapping[str, Any]]) -> list[Run]:
    """Runs in order of start and id, from GATED_OBSERVATIONS rows of one skill.

    Left out: spans, redacted text, uncaptured input, outcomes in between, doubtful labels, and runs that
    arms are compared by, with all that asks the same as one of those. Evidence
    is used in doublings (see `settled`), so that one more run does not make one more prompt.
    """
    rows = list(rows)
    examined = {_question(row) for row in rows if EVALUATION in row["remarks"]}
    runs = [
        Run(
            run_id=row["run_id"],
            start=row["start_time"].isoformat(),
            session=row["session_id"] or row["run_id"],
            prompt_version=row["prompt_version"] or "-",
            question=row["input_text"].strip(),
            answer=(row["output_text"] or "").strip(),
            error=row["error_type"],
            good=row["outcome"] >= SUCCESS,
            weight=row["weight"] if row["weight"] is not None else 1.0,
        )
        for row in rows
        if row["grain"] == "run"
        and not row["redacted"]
        and NOT_FOR_PROMPTS.isdisjoint(row["remarks"])
        and _question(row) not in examined
        and (row["input_text"] or "").strip()
        and row["outcome"] is not None
        and (row["confidence"] or 0.0) >= CONFIDENT
        and (row["outcome"] >= SUCCESS or row["outcome"] <= FAILURE)
    ]
    return sorted(runs, key=lambda run: (run.start, run.run_id))


def _question(row: Mapping[str, Any]) -> str:
    """What was asked, as it is compared: without case and spacing."""
    return " ".join((row["input_text"] or "").lower().split())


def settled(runs: list[Run], least: int) -> list[Run]:
    """The first least × 2^k runs, for the largest k that there are runs for; none below `least`."""
    if len(runs) < least:
        return []
    count = least
    while count * 2 <= len(runs):
        count *= 2
    return runs[:count]
