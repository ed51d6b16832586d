"""What recorded outcomes show of routing and of cascades, and what arms that arrive one by one do to a wheel.

    python -m flywheel_assets_tests.benchmarks.replays DATA > docs/replays.md

DATA is the folder of public data sets. Each replay is `flywheel replay` with the options of its case.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from flywheel_assets.candidates.routing import features
from flywheel_assets.candidates.routing.contextual import Feedback, fit
from flywheel_assets.commands.replay import Asked, replay
from flywheel_assets.replay.contextual import Settings
from flywheel_assets.replay.matrix import Matrix, Reading, Reals, read
from flywheel_assets.replay.measures import mean
from flywheel_assets.replay.page import said
from flywheel_assets_tests.benchmarks import simple_router

HEAD = """# Replays

Recorded outcomes, in the order of their time or of a seed, drive the learner, the trials or the cascades: the
published document is asked for an arm, and only that arm's outcome and cost are revealed. Every promoted artifact is
judged on items that no artifact saw. Means with 95 % intervals over seeds (Student's t). The control deals the
outcomes out among the items anew: what it gains over hindsight would be leakage.

Written by `python -m flywheel_assets_tests.benchmarks.replays DATA`. In memory: the functions, documents and the
client's draw are the wheel's own; spans, receiver and Dagster are left out, but for the replays through the doors,
which leave nothing out. [Searching among prompts](prompts.md) has the replays of prompts.
"""

# Simulated: each arm's success rate. `launch` is in production; the others come in an order of chance.
RATES = {"launch": 0.55, "weak": 0.35, "good": 0.65, "same": 0.55, "best": 0.75, "weaker": 0.25}
# USD per token of the weak and the strong model, by the data set's own note.
PRICES = {"weak": 0.24e-6, "strong": 24.7e-6}


ROUTING = "routellm/gsm8k_mmlu.parquet"
ROUTES = Reading(where="contaminated = 0", context=("domain",), prices=PRICES)
BUDGETS = (0.2, 0.5)
LEARNABLE = """
## routing: what there is to learn

The same items and learner, in five splits of their own: three quarters to learn from, a quarter to be judged on. Of as
many runs as the replay had, drawn evenly, and with the outcome of both arms on every item, which no agent ever sees.
Beside it a simple learner in the replay's own splits (`simple_router.py`: ridge per arm, TF-IDF, Thompson sampling).

| | |
|---|---|"""
ROUTING_AIM = """value ≥ .735 at 20 % and ≥ .775 at 50 % (a simple learner on about twice as many items reached .7286
and .7706, where hindsight was .7051 and .7453), never a point below what was reached, at most 2 % over budget, nothing
gained by the control."""
ARMS_AIM = f"""the best new arm promoted, no praise believed. Simulated rates:
{", ".join(f"{arm} {rate}" for arm, rate in RATES.items())}; after launch, by chance, one more arm every 100 runs, the
worst of them praised by a reporter that nobody registered; four trials at once."""


def cases(data: Path, rates: Path, out: Path) -> list[Asked]:
    """Every replay of the page, with what was aimed at."""
    ladders = Reading(where="run = 'mbpp-974-opus'")
    cascade = Asked(data / "firstpass_mbpp/rungs.csv.gz", out, ladders, "cascade", usd=0.0031, seeds=20, name="cascade")
    routing = Asked(data / ROUTING, out, ROUTES, "contextual", BUDGETS, name="routing")
    arriving = Asked(
        rates, out, Reading(), "doors", baseline="launch", runs=2400, arrive=100, at_once=4, seeds=5, name="arms"
    )
    return [
        replace(
            cascade,
            aim="value ≥ .930 at ≤ $.0031, and each arm's gate precision within 3 points from 10 % audited answers.",
        ),
        replace(routing, aim=ROUTING_AIM),
        replace(arriving, aim=ARMS_AIM),
    ]


def section(result: dict[str, Any]) -> str:
    """One replay's numbers, as a table for each of its plans."""
    first = f"## {result['name']}\n\n{result['items']} items × {len(result['arms'])} arms, {result['seeds']} seeds.\n"
    rows: list[str] = []
    for at, line in enumerate(said(result)):
        name, _, value = line.partition(": ")
        if at == 0 or (name == "budget" and result["kind"] == "contextual"):
            rows.append("\n| | |\n|---|---|")
        rows.append(f"| {name} | {value} |")
    if result["kind"] == "doors":
        first += "\nThrough the doors: spans to a receiver, Dagster's turns, the published document by the client.\n"
    return "\n".join([first, f"Aim: {result['aim']}", *rows, ""])


def value_at(budget: float, gain: Reals, outcome: Reals) -> float:
    """Mean outcome where the dearer arm (second column) is asked for the share with the largest expected gain."""
    dear = np.argsort(-gain)[: int(budget * len(gain))]
    served = outcome[:, 0].copy()
    served[dear] = outcome[dear, 1]
    return float(served.mean())


def learnable(matrix: Matrix, seeds: int = 5) -> str:
    """How much there is to learn: the same learner, with outcomes that no agent could have seen."""
    asked = features.Asked.of(matrix.texts, matrix.contexts)
    found: dict[tuple[str, float], list[float]] = defaultdict(list)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        held, seen = np.split(rng.permutation(len(matrix.items)), [len(matrix.items) // 4])
        even = rng.integers(2, size=len(seen))
        both = np.repeat([0, 1], len(seen))
        for words, rows, arm in (("runs drawn evenly", seen, even), ("both arms' outcomes", np.tile(seen, 2), both)):
            told = Feedback(asked.take(rows), arm, matrix.outcome[rows, arm], np.full(len(rows), 0.5))
            expected = fit(told, matrix.arms, features.lens(told.asked)).predict(asked.take(held))
            for budget in BUDGETS:
                gain = expected[:, 1] - expected[:, 0]
                found[words, budget].append(value_at(budget, gain, matrix.outcome[held]))
    for budget in BUDGETS:
        for seed in range(seeds):
            reached, over = simple_router.value(matrix, "domain", Settings(budget=budget), seed)
            found["a simple learner", budget].append(reached)
            found["a simple learner, cost over budget", budget].append(over)
    rows = [f"| {words}, {budget:.0%} of the way | {mean(values).said} |" for (words, budget), values in found.items()]
    return "\n".join([LEARNABLE, *rows, ""])


def main() -> None:
    """Replay all, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    sys.stdout.write(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        rates = Path(folder) / "rates.csv"
        rates.write_text("\n".join(["arm,outcome", *(f"{arm},{rate}" for arm, rate in RATES.items())]))
        for asked in cases(data, rates, Path(folder) / "out"):
            answer = replay(asked, quiet=False)
            sys.stdout.write("\n" + section(cast("dict[str, Any]", answer.result)))
            sys.stdout.flush()
    sys.stdout.write(learnable(read(data / ROUTING, ROUTES)))


if __name__ == "__main__":
    main()
