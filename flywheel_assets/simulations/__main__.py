"""`python -m flywheel_assets.simulations`: conduct the study and write its report.

    python -m flywheel_assets.simulations --scale 0.05 --docs docs

takes seconds and says little; at full scale it takes minutes.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from flywheel_assets.simulations.plots import draw
from flywheel_assets.simulations.report import page
from flywheel_assets.simulations.study import conduct


def main() -> None:
    """Conduct, draw, write."""
    parser = argparse.ArgumentParser(description="Error rates, power and coverage of the code that decides.")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full number of repetitions")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    given = parser.parse_args()
    started = time.perf_counter()

    def say(cell: str) -> None:
        sys.stdout.write(f"{time.perf_counter() - started:6.0f} s  {cell}\n")
        sys.stdout.flush()

    study = conduct(given.seed, given.scale, given.processes, say)
    draw(study, given.docs / "images")
    (given.docs / "simulations.md").write_text(page(study), encoding="utf-8")


if __name__ == "__main__":
    main()
