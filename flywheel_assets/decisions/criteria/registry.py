"""The criteria, in the order in which they are shown.

A registration names those that its trial must meet, so that a criterion added later changes no
verdict that was recorded before it.
"""

from collections.abc import Mapping

from flywheel_assets.decisions.criteria import (
    aa_healthy,
    approval,
    assignment,
    evidence_fresh,
    guardrails,
    incumbent_stands,
    leave_one_out,
    non_inferiority,
    outcomes_told,
    predecessor_restorable,
    superiority,
    within_reach,
    worst_slice,
)
from flywheel_assets.decisions.trial import Criterion
from flywheel_assets.tables.documents.registration import Registration

CRITERIA: Mapping[str, Criterion] = {
    "superiority": superiority,
    "non_inferiority": non_inferiority,
    "within_reach": within_reach,
    "guardrails": guardrails,
    "worst_slice": worst_slice,
    "leave_one_out": leave_one_out,
    "evidence_fresh": evidence_fresh,
    "assignment": assignment,
    "outcomes_told": outcomes_told,
    "aa_healthy": aa_healthy,
    "incumbent_stands": incumbent_stands,
    "predecessor_restorable": predecessor_restorable,
    "approval": approval,
}
# What a registration asks for that names none.
UNNAMED = (
    "superiority",
    "non_inferiority",
    "guardrails",
    "assignment",
    "incumbent_stands",
    "predecessor_restorable",
    "approval",
)


def rules(registration: Registration) -> dict[str, Criterion]:
    """The criteria that a trial must meet, by name."""
    named = registration.criteria or UNNAMED
    return {name: rule for name, rule in CRITERIA.items() if name in named and rule.applies(registration)}
