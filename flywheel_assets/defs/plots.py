"""Small plots as Markdown images with the picture inside, for the metadata of a materialisation."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.snapshots.plots.svg import Scale, curve, dot, grid, label, line, picture, spanning, text

MOST = 24
WIDTH, ROW, LETTER = 720, 22, 6.0
# A picture in an image sees nothing of the page's style.
STYLE = (
    "<style>text{font:11px system-ui,sans-serif;fill:#33415c}line,polyline{stroke:#33415c;stroke-width:2;fill:none}"
    "circle{fill:#33415c}.best{stroke:#2a7f62}circle.best{fill:#2a7f62}.faint{stroke:#b9c2d0}text.best,text.faint"
    "{stroke:none}.grid{stroke:#b9c2d0;stroke-width:1}</style>"
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A row of a plot: its words, both ends and the point between, and whether it stands out."""

    words: str
    low: float
    point: float
    high: float
    best: bool


def image(svg: str, title: str) -> dg.MarkdownMetadataValue:
    """The picture in a data URI: it needs no server and no network."""
    encoded = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{encoded})")


def interval_plot(scores: pa.Table) -> dg.MarkdownMetadataValue:
    """Score and interval of each skill × arm that has evidence; the best of each skill in green."""
    rows = [
        Interval(f"{row['skill']} · {row['arm']}", row["lower"], row["score"], row["upper"], row["standing"] == "best")
        for row in scores.to_pylist()
        if row["score"] is not None
    ][:MOST]
    if not rows:
        return dg.MetadataValue.md("No arm has evidence yet.")
    return image(_intervals(rows, (0.0, 1.0), "outcome, shrunken mean and 95 % interval"), "scores")


def momentum_plot(momentum: pa.Table) -> dg.MarkdownMetadataValue:
    """Production, holdout and first promoted artifact per block of runs, over all skills."""
    rows = momentum.filter(pc.field("skill") == "*").to_pylist()
    if not rows:
        return dg.MetadataValue.md("No block of runs is complete yet.")
    sides = (
        ("current", "best", "production"),
        ("baseline", "", "holdout on the launch baseline"),
        ("frozen", "faint", "first promoted artifact, frozen"),
    )
    if all(row[name] is None for row in rows for name, _, _ in sides):
        return dg.MetadataValue.md("Not measured yet: too few runs beside a holdout.")
    across = Scale(rows[0]["block"], rows[-1]["block"], 40, WIDTH - 10)
    up = spanning([row[name] for row in rows for name, _, _ in sides], 190, 24)
    ticks = up.ticks()
    parts = [STYLE, *grid(across, up, [label(tick) for tick in ticks], ticks)]
    parts += [text((across(tick), 208), f"{tick:g}", "", "middle") for tick in across.ticks(8) if tick == int(tick)]
    parts.append(text((WIDTH / 2, 224), "block of runs; mean outcome in per cent", "", "middle"))
    for place, (name, style, words) in enumerate(sides):
        points = [(across(row["block"]), up(row[name])) for row in rows if row[name] is not None]
        parts += [curve(points, style), *(dot(point, style, 2.5) for point in points)]
        parts += [line((40 + 210 * place, 10), (60 + 210 * place, 10), style), text((66 + 210 * place, 14), words)]
    return image(picture(WIDTH, 232, parts, "mean outcome per block of runs"), "momentum")


def trial_plot(ledger: pa.Table) -> dg.MarkdownMetadataValue:
    """The confidence sequence of each experiment's newest look: the interval that decided it."""
    newest = {row["experiment_id"]: row for row in ledger.to_pylist() if row["estimate"] is not None}
    rows = [
        Interval(
            f"{row['skill']} · {row['candidate_arm']} · {row['kind']}",
            row["lower"],
            row["estimate"],
            row["upper"],
            row["kind"] == "promoted",
        )
        for row in list(newest.values())[-MOST:]
    ]
    if not rows:
        return dg.MetadataValue.md("No experiment has been looked at yet.")
    ends = min(0.0, *(row.low for row in rows)), max(0.0, *(row.high for row in rows))
    return image(_intervals(rows, ends, "outcome difference, candidate minus incumbent, confidence sequence"), "trials")


def _intervals(rows: Sequence[Interval], ends: tuple[float, float], words: str) -> str:
    """One row each, the words on the left; a line at 0 where it lies between the ends."""
    left = min(LETTER * max(len(row.words) for row in rows) + 14, 0.62 * WIDTH)
    across, bottom = Scale(*ends, left, WIDTH - 14), ROW * len(rows) + 8
    parts = [STYLE]
    for tick in across.ticks():
        parts.append(line((across(tick), 2), (across(tick), bottom), "faint" if tick == 0 else "grid"))
        parts.append(text((across(tick), bottom + 14), label(tick), "", "middle"))
    parts.append(text((WIDTH - 14, bottom + 30), f"{words}, per cent", "", "end"))
    for place, row in enumerate(rows):
        y, style = ROW * (place + 0.5) + 4, "best" if row.best else ""
        parts.append(text((left - 8, y + 4), row.words, "", "end"))
        parts += [line((across(row.low), y), (across(row.high), y), style), dot((across(row.point), y), style)]
    return picture(WIDTH, bottom + 38, parts, words)
