"""The study's figures, as SVG that is the same for the same numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flywheel_assets.simulations.report import chance, promoted
from flywheel_assets.simulations.study import BETTER, NULLS, Study
from flywheel_assets.simulations.trials import fixed_sample

INK, ACCENT, FAINT = "#33415c", "#2a7f62", "#b9c2d0"
Shares = Mapping[str, tuple[int, int, float]]


def draw(study: Study, folder: Path) -> None:
    """Three figures: false promotions, power, misses of intervals."""
    folder.mkdir(parents=True, exist_ok=True)
    nulls = {name: (promoted(found), len(found), NULLS[name].alpha) for name, found in study.nulls.items()}
    missed = {name: (one.missed, one.of, one.nominal) for name, one in study.coverage.items()}
    _save(_shares(nulls, "ever promoted, over 77 looks"), folder / "simulated-nulls.svg")
    _save(_shares(missed, "missed the truth"), folder / "simulated-coverage.svg")
    _save(_power(study), folder / "simulated-power.svg")


def _shares(cells: Shares, words: str) -> Figure:
    figure = Figure(figsize=(7, 0.9 + 0.26 * len(cells)))
    axes = figure.subplots()
    for place, (count, of, promised) in enumerate(reversed(list(cells.values()))):
        low, high = chance(count, of)
        axes.plot([low, high], [place, place], color=INK, linewidth=2)
        axes.plot([count / of], [place], marker="o", color=INK, markersize=4)
        axes.plot([promised], [place], marker="|", color=ACCENT, markersize=12, markeredgewidth=2)
    axes.set_yticks(range(len(cells)), list(reversed(list(cells))))
    axes.set_xlim(left=0)
    axes.set_xlabel(f"share of streams that {words}; green: what was promised", fontsize=8)
    return _plain(figure, axes)


def _power(study: Study) -> Figure:
    figure = Figure(figsize=(7, 3.4))
    axes = figure.subplots()
    multiples: Sequence[float] = np.linspace(0, 3, 61).tolist()
    for name, found in study.better.items():
        fixed = fixed_sample(BETTER[name])
        units = np.array([one.units if one.kind == "promoted" else np.inf for one in found]) / fixed
        colour = ACCENT if BETTER[name].alpha < 0.05 else INK
        style = "-" if BETTER[name].gain < 0.1 else "--"
        axes.plot(
            multiples, [float(np.mean(units <= one)) for one in multiples], style, color=colour, linewidth=1, label=name
        )
    axes.plot([1], [0.8], marker="x", color="black", markersize=7)
    axes.axvline(1.5, color=FAINT, linewidth=1)
    axes.set_xlabel("units, in multiples of the fixed sample (cross: its 80 %; line: 1.5 times)", fontsize=8)
    axes.set_ylabel("promoted", fontsize=8)
    axes.legend(fontsize=6, frameon=False)
    return _plain(figure, axes)


def _plain(figure: Figure, axes: Axes) -> Figure:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7, colors=INK)
    return figure


def _save(figure: Figure, path: Path) -> None:
    with mpl.rc_context({"svg.hashsalt": "flywheel"}):
        figure.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
