"""Small plots as Markdown images with the picture inside, for the metadata of a materialisation."""

import base64
import io

import dagster as dg
import pyarrow as pa
from matplotlib.figure import Figure

INK, ACCENT, FAINT = "#33415c", "#2a7f62", "#b9c2d0"
MOST = 24


def image(figure: Figure, title: str) -> dg.MarkdownMetadataValue:
    """The figure as PNG in a data URI: it needs no server and no network."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80, bbox_inches="tight")
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{encoded})")


def interval_plot(scores: pa.Table) -> dg.MarkdownMetadataValue:
    """Score and interval of each skill × arm that has evidence; the best of each skill in green."""
    rows = [row for row in scores.to_pylist() if row["score"] is not None][:MOST]
    if not rows:
        return dg.MetadataValue.md("No arm has evidence yet.")
    figure = Figure(figsize=(7, 0.7 + 0.28 * len(rows)))
    axes = figure.subplots()
    for place, row in enumerate(reversed(rows)):
        colour = ACCENT if row["standing"] == "best" else INK
        axes.plot([row["lower"], row["upper"]], [place, place], color=colour, linewidth=2)
        axes.plot([row["score"]], [place], marker="o", color=colour, markersize=5)
    axes.set_yticks(range(len(rows)), [f"{row['skill']} · {row['arm']}" for row in reversed(rows)], fontsize=7)
    axes.set_xlabel("outcome, shrunken mean and 95 % interval", fontsize=8)
    axes.set_xlim(0, 1)
    return image(_plain(figure), "scores")


def momentum_plot(momentum: pa.Table) -> dg.MarkdownMetadataValue:
    """Production, holdout and first promoted artifact per block of runs, over all skills."""
    rows = [row for row in momentum.to_pylist() if row["skill"] == "*"]
    if not rows:
        return dg.MetadataValue.md("No block of runs is complete yet.")
    figure = Figure(figsize=(7, 2.6))
    axes = figure.subplots()
    blocks = [row["block"] for row in rows]
    for name, colour, words in (
        ("current", ACCENT, "production"),
        ("baseline", INK, "holdout on the launch baseline"),
        ("frozen", FAINT, "first promoted artifact, frozen"),
    ):
        values = [float("nan") if row[name] is None else row[name] for row in rows]
        axes.plot(blocks, values, color=colour, marker=".", label=words)
    axes.set_xlabel("block of runs", fontsize=8)
    axes.set_ylabel("mean outcome", fontsize=8)
    axes.legend(fontsize=7, frameon=False)
    return image(_plain(figure), "momentum")


def trial_plot(ledger: pa.Table) -> dg.MarkdownMetadataValue:
    """The confidence sequence of each experiment's newest look: the interval that decided it."""
    newest = {row["experiment_id"]: row for row in ledger.to_pylist() if row["estimate"] is not None}
    rows = list(newest.values())[-MOST:]
    if not rows:
        return dg.MetadataValue.md("No experiment has been looked at yet.")
    figure = Figure(figsize=(7, 0.7 + 0.32 * len(rows)))
    axes = figure.subplots()
    axes.axvline(0, color=FAINT, linewidth=1)
    for place, row in enumerate(reversed(rows)):
        colour = ACCENT if row["kind"] == "promoted" else INK
        axes.plot([row["lower"], row["upper"]], [place, place], color=colour, linewidth=2)
        axes.plot([row["estimate"]], [place], marker="o", color=colour, markersize=5)
    labels = [f"{row['skill']} · {row['candidate_arm']} · {row['kind']}" for row in reversed(rows)]
    axes.set_yticks(range(len(rows)), labels, fontsize=7)
    axes.set_xlabel("outcome difference, candidate minus incumbent, confidence sequence", fontsize=8)
    return image(_plain(figure), "trials")


def _plain(figure: Figure) -> Figure:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=7, colors=INK)
    return figure
