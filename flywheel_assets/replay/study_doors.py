"""A study through the doors: what was promoted over seeds, and what the control promoted."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from flywheel_assets.replay.doors import Driven, Plan, Say, drive
from flywheel_assets.replay.matrix import Matrix, drawn
from flywheel_assets.replay.measures import mean
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.scorer import PREFIX

# Arms of a matrix of rates that take part.
POOL = 7


def study_doors(matrix: Matrix, plan: Plan, seeds: int, folder: Path, say: Say) -> dict[str, Any]:
    """Each seed drives a wheel of its own below `folder`, and another one with outcomes dealt out anew among items.

    Where arms arrive one by one, or outcomes are drawn from rates, there is nothing that such a control could show.
    """
    alone = matrix.rates or plan.arrive > 0
    found: list[Driven] = []
    control: list[Driven] = []
    for seed in range(seeds):
        items = int(np.ceil(plan.runs / (1 - plan.held))) + 1
        one = drawn(matrix, items, POOL, plan.baseline or matrix.arms[0], seed) if matrix.rates else matrix
        for permuted, kept in ((False, found), (True, control))[: 1 if alone else 2]:
            say(f"seed {seed}{', control' if permuted else ''}")
            name = f"seed-{seed}{'-control' if permuted else ''}"
            kept.append(drive(one, replace(plan, permuted=permuted), folder / name, seed, say))
    summed = {
        "kind": "doors",
        "items": len(matrix.items),
        "arms": list(matrix.arms),
        "seeds": seeds,
        "runs": found[0].runs,
        "spans": sum(one.spans for one in found + control),
        "turns": sum(len(one.obtained) for one in found + control),
        "steps_that_failed": sorted({failed for one in found + control for failed in one.failed}),
        "launch": mean([one.production[0].value for one in found]).said,
        "in_production_at_the_end": mean([one.production[-1].value for one in found]).said,
        "best_single_arm_in_hindsight": mean([one.single for one in found]).said,
        "last_minus_best_single_arm": mean([one.production[-1].value - one.single for one in found]).said,
        "promotions": sum(len(one.production) - 1 for one in found),
        "contextual_policies_promoted": _contextual(found),
        "trials": sum(one.trials for one in found),
        "lost_per_run_to_trials_and_exploration": mean([float(np.mean(one.lost)) for one in found]).said,
        "curve": np.mean([one.obtained for one in found], axis=0).tolist(),
        "production": [[_without_rule(step) for step in one.production] for one in found],
    }
    if found[0].budget is not None:
        over = [float(np.mean(one.spent)) / one.budget - 1 for one in found if one.budget]
        summed["served_over_budget"] = mean(over).said
    if control:
        ends = [one.production[-1].value - one.production[0].value for one in control]
        summed["control_end_minus_launch"] = mean(ends).said
        summed["control_contextual_policies_promoted"] = _contextual(control)
    return summed | (_arrivals(found) if plan.arrive else {})


def _contextual(found: Sequence[Driven]) -> int:
    return sum(step.arm.startswith(PREFIX) for one in found for step in one.production)


def _without_rule(step: object) -> dict[str, Any]:
    return {name: value for name, value in asdict(step).items() if name != "rule"}  # pyright: ignore[reportArgumentType]


def _arrivals(found: Sequence[Driven]) -> dict[str, Any]:
    """Runs from the best arm's arrival to its promotion; how often the praised or any worse arm got in."""
    waits = [wait for one in found if (wait := _wait(one)) is not None]
    in_force = [(one, Arm.parse(step.arm).model) for one in found for step in one.production[1:]]
    return {
        "best_arm_promoted": f"in {len(waits)} of {len(found)} seeds",
        "runs_from_its_arrival_to_its_promotion": mean([float(wait) for wait in waits]).said if waits else None,
        "promotions_of_the_praised_arm": sum(model == one.praised for one, model in in_force),
        "promotions_to_a_worse_arm": sum(
            after.value < before.value
            for one in found
            for before, after in zip(one.production, one.production[1:], strict=False)
        ),
    }


def _wait(one: Driven) -> int | None:
    """None where the best arm was not promoted in time."""
    steps = [step.runs for step in one.production if Arm.parse(step.arm).model == one.best]
    return steps[0] - one.arrived[one.best] if steps else None
