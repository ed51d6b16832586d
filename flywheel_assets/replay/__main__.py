"""`python -m flywheel_assets.replay RESULTS > docs/replays.md`: the page on recorded replays, from their JSON.

RESULTS is the folder that `flywheel replay --out` wrote to. What a replay aimed at is stated beside
what it reached, also where that is less.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from flywheel_assets.replay.page import said

HEAD = """# Replays

Recorded outcomes, in the order of their time or of a seed, drive the learner, the trials or the cascades: the
published document is asked for an arm, and only that arm's outcome and cost are revealed. Every promoted artifact is
judged on items that no artifact saw. Means with 95 % intervals over seeds (Student's t). The control deals the
outcomes out among the items anew: what it gains over hindsight would be leakage.

Written by `python -m flywheel_assets.replay RESULTS` from what `flywheel replay` left there. In memory: the functions,
documents and the client's draw are the wheel's own; spans, receiver and Dagster are left out, but for the
replays through the doors, which leave nothing out.
"""


def main() -> None:
    """Read the results, write the page."""
    parser = argparse.ArgumentParser(description="The page on recorded replays.")
    parser.add_argument("results", type=Path)
    found = [json.loads(path.read_text()) for path in sorted(parser.parse_args().results.glob("*.json"))]
    sys.stdout.write("\n".join([HEAD, *(section(one) for one in found)]))


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
    aim = [f"Aim: {result['aim']}"] if result.get("aim") else []
    return "\n".join([first, *aim, *rows, ""])


if __name__ == "__main__":
    main()
