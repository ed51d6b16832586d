"""A study: one matrix replayed over seeds, with its control, summed up as one JSON object."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np

from flywheel_assets.replay.cascading import Cascaded, GateSeen, Rules, replay_cascade
from flywheel_assets.replay.contextual import Replayed, Settings, replay
from flywheel_assets.replay.matrix import Matrix
from flywheel_assets.replay.measures import Mean, apgr, cpt, largest_fall, mean, slope
from flywheel_assets.replay.trials import Picked, replay_trials
from flywheel_assets.tables.documents.skills_file import Skill

Say = Callable[[str], None]


def study_contextual(matrix: Matrix, plans: Sequence[Settings], seeds: int, say: Say, workers: int) -> dict[str, Any]:
    """Every plan over seeds, each with its control: the same with outcomes dealt out among the items anew."""
    jobs = [
        (number, replace(plan, permuted=permuted), seed)
        for number, plan in enumerate(plans)
        for permuted in (False, True)
        for seed in range(seeds)
    ]
    done: dict[tuple[int, bool], list[Replayed]] = {}
    for at, ((number, plan, seed), found) in enumerate(zip(jobs, _mapped(matrix, jobs, workers), strict=True), 1):
        done.setdefault((number, plan.permuted), []).append(found)
        control = ", control" if plan.permuted else ""
        say(f"{at}/{len(jobs)}: budget {plan.budget}, seed {seed}{control}: {found.artifacts[-1].value:.4f}")
    plain = [_summed(plan, done[number, False], done[number, True]) for number, plan in enumerate(plans)]
    return {"kind": "contextual", "items": len(matrix.items), "arms": list(matrix.arms), "seeds": seeds, "plans": plain}


def study_trials(  # noqa: PLR0913, PLR0917 - a replay has so many options
    matrix: Matrix, skill: Skill, runs: int, seeds: int, say: Say, arrive: int = 0
) -> dict[str, Any]:
    """Trials over seeds: what was picked, what was promoted wrongly, and what it took; with `arrive`, of new arms."""
    picks: list[Picked] = []
    for seed in range(seeds):
        picks.append(replay_trials(matrix, skill, runs, seed, arrive=arrive))
        say(
            f"{seed + 1}/{seeds}: {picks[-1].arm} at {picks[-1].value:.4f} after {len(picks[-1].promotions)} promotions"
        )
    first = [one.promotions[0][0] for one in picks if one.promotions]
    return {
        "kind": "trials",
        "items": len(matrix.items),
        "arms": list(matrix.arms),
        "seeds": seeds,
        "runs": runs,
        "baseline": mean([one.baseline for one in picks]).said,
        "best": mean([one.best for one in picks]).said,
        "picked": mean([one.value for one in picks]).said,
        "obtained": mean([one.obtained for one in picks]).said,
        "promotions": sum(len(one.promotions) for one in picks),
        "wrong_promotions": sum(one.wrong for one in picks),
        "trials": sum(one.trials for one in picks),
        "runs_until_first_promotion": mean([float(one) for one in first]).said if first else None,
        **(_arrived(picks, skill) if arrive else {}),
        "curve": np.mean([one.curve for one in picks], axis=0).tolist(),
    }


def _arrived(picks: Sequence[Picked], skill: Skill) -> dict[str, Any]:
    waits = [float(one.wait) for one in picks if one.wait is not None]
    return {
        "trials_at_once": skill.trials_at_once,
        "best_arm_promoted": f"in {len(waits)} of {len(picks)} seeds",
        "runs_from_its_arrival_to_its_promotion": mean(waits).said if waits else None,
        "lost_per_run_to_trials_and_exploration": mean([one.lost for one in picks]).said,
    }


def _mapped(matrix: Matrix, jobs: Sequence[tuple[int, Settings, int]], workers: int) -> Iterator[Replayed]:
    plans, seeds = [plan for _, plan, _ in jobs], [seed for _, _, seed in jobs]
    if workers <= 1:
        yield from map(partial(replay, matrix), plans, seeds)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(replay, matrix), plans, seeds)


def _summed(plan: Settings, found: Sequence[Replayed], control: Sequence[Replayed]) -> dict[str, Any]:
    curves = np.array([[artifact.value for artifact in one.artifacts] for one in found])
    static = np.array([one.static for one in found])
    over = [one.artifacts[-1].cost / one.budget - 1 if one.budget else 0.0 for one in found]
    served = [
        float(np.mean([artifact.served_cost for artifact in one.artifacts])) / one.budget - 1 if one.budget else 0.0
        for one in found
    ]
    return {
        "budget": plan.budget,
        "every": plan.every,
        "runs": found[0].artifacts[-1].runs,
        "static": _asdict(mean(static.tolist())),
        "first": _asdict(mean(curves[:, 0].tolist())),
        "last": _asdict(mean(curves[:, -1].tolist())),
        "gain_over_static": _asdict(mean((curves[:, -1] - static).tolist())),
        "control_gain": _asdict(mean([one.artifacts[-1].value - one.static for one in control])),
        "largest_fall": largest_fall(curves.mean(axis=0).tolist()),
        "slope_over_frozen": _asdict(mean([slope(curve.tolist()) for curve in curves])),
        "policy_over_budget": _asdict(mean(over)),
        "served_over_budget": _asdict(mean(served)),
        "regret": _asdict(mean([_regret(one) for one in found])),
        "curve": [_asdict(mean(column.tolist())) for column in curves.T],
        "control_curve": np.mean([[a.value for a in one.artifacts] for one in control], axis=0).tolist(),
        **_two_arms(found),
    }


def _two_arms(found: Sequence[Replayed]) -> dict[str, Any]:
    """The measures that exist for a cheap and a dear arm only."""
    if not all(one.frontier for one in found):
        return {}
    ends = [(one.means[int(np.argmin(one.costs))], one.means[int(np.argmax(one.costs))]) for one in found]
    each = list(zip(found, ends, strict=True))
    thresholds = {f"cpt{part}": [cpt(one.frontier, *end, part / 100) for one, end in each] for part in (50, 80)}
    return {
        "apgr": _asdict(mean([apgr(one.frontier, *end) for one, end in each])),
        **{name: _asdict(mean([one for one in values if one is not None])) for name, values in thresholds.items()},
        "frontier": [
            [share, float(np.mean([dict(one.frontier)[share] for one in found]))] for share, _ in found[0].frontier
        ],
    }


def _regret(one: Replayed) -> float:
    """Outcome lost per run to the best mixture in hindsight, exploration included."""
    return one.static - float(np.mean([artifact.obtained for artifact in one.artifacts]))


def _asdict(found: Mean) -> dict[str, Any]:
    return {**asdict(found), "said": found.said}


def study_cascade(matrix: Matrix, rules: Rules, seeds: int, say: Say) -> dict[str, Any]:
    """Cascades over seeds: value and cost on unseen items, and each arm's gate as estimated and as it is."""
    found: list[Cascaded] = []
    for seed in range(seeds):
        found.append(replay_cascade(matrix, rules, seed))
        say(f"{seed + 1}/{seeds}: {found[-1].value:.4f} at {found[-1].cost:.5f} USD")
    return {
        "kind": "cascade",
        "items": len(matrix.items),
        "arms": list(matrix.arms),
        "seeds": seeds,
        "budget": rules.budget,
        "value": mean([one.value for one in found]).said,
        "cost": mean([one.cost for one in found]).said if rules.budget is None else f"{_cost(found):.6f}",
        "dearest_alone": mean([one.dearest_alone for one in found]).said,
        "cascades": sorted({" → ".join(one.arms) for one in found}),
        "gates": [_gate([one.precision[at] for one in found]) for at in range(len(matrix.arms))],
    }


def _cost(found: Sequence[Cascaded]) -> float:
    return float(np.mean([one.cost for one in found]))


def _gate(seen: Sequence[GateSeen]) -> dict[str, Any]:
    missed = np.array([abs(one.estimate - one.truth) for one in seen])
    covered = np.mean([one.lower <= one.truth <= one.upper for one in seen])
    within = float((missed <= 0.03).mean())
    return {
        "arm": seen[0].arm,
        "truth": seen[0].truth,
        "mean_error": float(missed.mean()),
        "within_3_points": within,
        "said": f"estimated {np.mean([one.estimate for one in seen]):.4f}, true {seen[0].truth:.4f}, off by "
        f"{missed.mean():.4f} in the mean, within 3 points in {within:.0%} of seeds, interval holds the truth in "
        f"{covered:.0%}, {np.mean([one.audited for one in seen]):.0f} audited answers",
    }
