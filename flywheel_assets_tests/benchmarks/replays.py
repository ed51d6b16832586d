"""What recorded outcomes show of routing and of cascades, and what arms that arrive one by one do to a wheel.

    python -m flywheel_assets_tests.benchmarks.replays DATA > docs/replays.md

DATA is the folder of public data sets. Each replay is `flywheel replay` with the options of its case.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from flywheel_assets.commands.replay import Asked, replay
from flywheel_assets.replay.matrix import Reading
from flywheel_assets.replay.page import said

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


ROUTING_AIM = """value ≥ .735 at 20 % and ≥ .775 at 50 % (a simple learner on about twice as many items reached .7286
and .7706, where hindsight was .7051 and .7453), never a point below what was reached, at most 2 % over budget, nothing
gained by the control."""
ARMS_AIM = f"""the best new arm promoted, no praise believed. Simulated rates:
{", ".join(f"{arm} {rate}" for arm, rate in RATES.items())}; after launch, by chance, one more arm every 100 runs, the
worst of them praised by a reporter that nobody registered; four trials at once."""


def cases(data: Path, rates: Path, out: Path) -> list[Asked]:
    """Every replay of the page, with what was aimed at."""
    ladders = Reading(where="run = 'mbpp-974-opus'")
    routes = Reading(where="contaminated = 0", context=("domain",), prices=PRICES)
    cascade = Asked(data / "firstpass_mbpp/rungs.csv.gz", out, ladders, "cascade", usd=0.0031, seeds=20, name="cascade")
    routing = Asked(data / "routellm/gsm8k_mmlu.parquet", out, routes, "contextual", (0.2, 0.5), name="routing")
    arriving = Asked(rates, out, Reading(), "doors", baseline="launch", runs=1600, arrive=100, at_once=4, name="arms")
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


if __name__ == "__main__":
    main()
