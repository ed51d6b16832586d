"""The criteria, in the order in which they are shown."""

from collections.abc import Mapping

from flywheel_assets.decisions.criteria import (
    approval,
    assignment,
    guardrails,
    incumbent_stands,
    non_inferiority,
    predecessor_restorable,
    superiority,
)
from flywheel_assets.decisions.trial import Criterion

CRITERIA: Mapping[str, Criterion] = {
    "superiority": superiority,
    "non_inferiority": non_inferiority,
    "guardrails": guardrails,
    "assignment": assignment,
    "incumbent_stands": incumbent_stands,
    "predecessor_restorable": predecessor_restorable,
    "approval": approval,
}
