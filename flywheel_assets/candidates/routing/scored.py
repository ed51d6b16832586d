"""A contextual policy as it is published: the model at a price, as one integer per bucket and arm."""

from collections.abc import Sequence

import numpy as np

from flywheel_assets.candidates.routing.contextual import Model
from flywheel_assets.candidates.routing.features import Asked, Reals, short
from flywheel_assets.tables.documents.routing import content_hash
from flywheel_assets.tables.documents.scorer import PREFIX, ArmScore, Scorer

# The largest weight in units: finer steps would make documents longer, and no decision another.
STEPS = 2000


def scorer(model: Model, cost: Reals, charge: Reals) -> Scorer:
    """The scorer of a model. What all arms share decides nothing and is left out.

    `charge`: what each arm's cost and time are worth in units of outcome; of equals the cheapest is chosen.
    """
    by_bucket, by_number, by_class = model.lens.folded(model.own[:, 1:])
    largest = float(np.abs(by_bucket).max(initial=0.0))
    unit = max(round(largest / STEPS, 12), 1e-12)
    arms = [
        ArmScore(
            arm=arm,
            bias=round(float(model.own[index, 0] - charge[index]), 9),
            weights=tuple(np.rint(by_bucket[index] / unit).astype(int).tolist()) if largest > unit else (),
            context=_context(model.lens.classes, by_class[index]),
            numbers={key: tuple(short(slopes[index]).tolist()) for key, slopes in by_number.items()},
        )
        for index, arm in enumerate(model.arms)
    ]
    order = sorted(range(len(arms)), key=lambda index: (float(cost[index]), arms[index].arm))
    known = {scale.key: scale.known for scale in (*model.lens.lists, *model.lens.singles)}
    return Scorer(buckets=len(model.lens.axes), unit=unit, arms=tuple(arms[index] for index in order), numbers=known)


def policy_arm(rule: Scorer, prompt_version: str = "-") -> str:
    """The name under which a contextual policy is an arm: tried, promoted and rolled back like any other."""
    return f"{PREFIX}{content_hash(rule.model_dump(mode='json'))[:12]}|{prompt_version}|-"


def _context(classes: Sequence[tuple[str, str]], weights: Reals) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for (key, value), weight in zip(classes, weights, strict=True):
        found.setdefault(key, {})[value] = round(float(weight), 6)
    return found


def chosen_by(rule: Scorer, asked: Asked) -> list[str]:
    """What `Scorer.choose` says of each request, all at once."""
    table = np.zeros((len(asked), len(rule.arms)))
    away = {key: asked.deviations(key, known) for key, known in rule.numbers.items()}
    for index, arm in enumerate(rule.arms):
        table[:, index] = arm.bias
        if arm.weights:
            table[:, index] += rule.unit * np.asarray(asked.words @ np.array(arm.weights, dtype=np.float64))
        for key, slopes in arm.numbers.items():
            table[:, index] += away[key] @ np.array(slopes)
        for row, entries in enumerate(asked.entries):
            table[row, index] += sum(
                arm.context[key].get(value, 0.0) for key, value in entries.items() if key in arm.context
            )
    return [rule.arms[index].arm for index in table.argmax(axis=1)]
