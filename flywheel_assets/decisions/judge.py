"""The verdict on one trial: the conjunction of its criteria, with all their numbers."""

from dataclasses import dataclass
from typing import Literal

from flywheel_assets.decisions.canonical import canonical, e_value, stated
from flywheel_assets.decisions.criteria.registry import CRITERIA, rules
from flywheel_assets.decisions.evidence import Evidence
from flywheel_assets.decisions.trial import Conditions, Failed, Passed, Result, Trial
from flywheel_assets.tables.documents.registration import Registration

# Refusal of canary units that had another candidate of the same draw.
OTHERS = "of_another_candidate"
Kind = Literal["registered", "canary", "held", "promoted", "rolled_back", "abandoned"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look concluded. These are the columns of a ledger entry that `replay` re-derives."""

    kind: Kind
    reason: str
    estimate: float | None
    lower: float | None
    upper: float | None
    e_value: float | None
    candidate_units: int
    incumbent_units: int
    criteria_json: str
    evidence_hash: str
    evidence_days: list[str]


def judge(registration: Registration, evidence: Evidence, conditions: Conditions) -> Verdict:
    """Promoted when every criterion passed, abandoned when one failed or the units are used up, else held."""
    trial = Trial(registration, evidence, conditions)
    results = answers(trial)
    kind, reason = conclude(registration, evidence, results)
    lower, upper = trial.outcome.interval(registration.alpha)
    difference = evidence.difference
    candidates, incumbents = evidence.units
    return Verdict(
        kind=kind,
        reason=reason,
        estimate=None if difference is None else stated(difference),
        lower=stated(lower),
        upper=stated(upper),
        e_value=e_value(trial.outcome.log_e(-registration.margin)),
        candidate_units=candidates,
        incumbent_units=incumbents,
        criteria_json=shown(results, evidence),
        evidence_hash=evidence.hash,
        evidence_days=evidence.days,
    )


def answers(trial: Trial) -> dict[str, Result]:
    """What every criterion that the registration asks for says of the evidence so far."""
    asked = rules(trial.registration)
    if trial.conditions.approved is False:
        # A person may end any trial, whether or not it waits for one.
        asked = {**asked, "approval": CRITERIA["approval"]}
    return {name: rule.check(trial) for name, rule in asked.items()}


def shown(results: dict[str, Result], evidence: Evidence) -> str:
    """Every criterion with its verdict and numbers, and the rows that were refused, as JSON."""
    return canonical(
        {
            "criteria": [
                {
                    "criterion": name,
                    "verdict": type(result).__name__.lower(),
                    "reason": result.reason,
                    "numbers": dict(result.numbers),
                }
                for name, result in results.items()
            ],
            "refused_rows": dict(evidence.refused),
        }
    )


def conclude(registration: Registration, evidence: Evidence, results: dict[str, Result]) -> tuple[Kind, str]:
    """The verdict that follows from the criteria's answers, and in words why."""
    failed = [f"{name}: {result.reason}" for name, result in results.items() if isinstance(result, Failed)]
    lacks = [name for name, result in results.items() if not isinstance(result, Passed)]
    missing = [f"{name}: {results[name].reason}" for name in lacks]
    units = sum(evidence.units)
    if failed:
        return "abandoned", "; ".join(failed)
    if not missing:
        return "promoted", "; ".join(f"{name}: {result.reason}" for name, result in results.items())
    if units >= registration.max_units:
        return "abandoned", f"undecided after {units} units of at most {registration.max_units}; {'; '.join(missing)}"
    # The units of other candidates of the draw are nobody's fault.
    refused = sum(count for reason, count in evidence.refused.items() if reason != OTHERS)
    aside = f" ({refused} rows set aside)" if refused else ""
    why = "enough evidence" if lacks == ["approval"] else "insufficient evidence"
    return "held", f"{why}: {units} units{aside}; {'; '.join(missing)}"
