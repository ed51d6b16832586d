"""Where the runs went: seen, judged, admitted — and set aside, with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flywheel_assets.snapshots.plots.svg import bar, picture, text

Row = Mapping[str, Any]

STATES = {
    "seen": "runs seen",
    "labeled": "outcome known",
    "missing": "nobody said",
    "immature": "may still come",
    "open": "still running",
}
STYLES = {"seen": "current", "labeled": "good", "admitted": "good", "held": "warn", "discarded": "bad"}
GAP, TALL, THICK, LEAST = 16.0, 210.0, 12.0, 2.0
MOST = 8


@dataclass(slots=True)
class Block:
    """A bar in one column; `left` is where the next flow out of it starts."""

    row: Row
    words: str
    style: str
    top: float
    tall: float
    left: float


def gates_plot(rows: Sequence[Row], width: int) -> str:
    """Rows of the view `funnel`: flows between three columns, or one list of bars where it is narrow."""
    total = sum(row["runs"] for row in rows if row["step"] == 1)
    if not total:
        return picture(width, 60, [text((0, 34), "No run has been seen yet.", "note")], "no runs")
    columns = [_stacked([row for row in rows if row["step"] == step], total) for step in (1, 2, 3)]
    says = "how many runs became evidence, and why the others did not"
    return _flows(columns, width, says) if width > 500 else _bars(columns, total, width, says)


def _stacked(rows: Sequence[Row], total: int) -> list[Block]:
    blocks: list[Block] = []
    top = 14.0
    for row in rows[:MOST]:
        tall = max(row["runs"] / total * TALL, LEAST)
        words = str(row["reason"] or STATES.get(row["state"], row["state"]))
        blocks.append(Block(row, words, STYLES.get(row["state"], "warn"), top, tall, top))
        top += tall + GAP
    return blocks


def _flows(columns: Sequence[Sequence[Block]], width: float, says: str) -> str:
    flows: list[str] = []
    blocks: list[str] = []
    for number, column in enumerate(columns):
        x = width * 0.3 * number
        for block in column:
            source = _source(columns[number - 1], block) if number else None
            if source:
                flows.append(_flow((x - width * 0.3 + THICK, source.left), (x, block.top), block))
                source.left += block.tall
            note = f"{block.words}: {block.row['runs']:,} runs"
            blocks.append(bar((x, block.top), (THICK, block.tall), f"block {block.style}", note))
            count, y = f"{block.row['runs']:,}", block.top + min(block.tall / 2, 10) + 4
            blocks.append(text((x + THICK + 6, y), count, f"value {block.style}"))
            blocks.append(text((x + THICK + 14 + 7.6 * len(count), y), block.words, "tick"))
    height = max(column[-1].top + column[-1].tall for column in columns if column) + 14
    return picture(width, height, [*flows, *blocks], says)


def _source(before: Sequence[Block], block: Block) -> Block | None:
    """The block of the column before that these runs come from."""
    return next((b for b in before if b.row["outcome_state"] in {None, block.row["outcome_state"]}), None)


def _flow(a: tuple[float, float], b: tuple[float, float], block: Block) -> str:
    middle, tall = (a[0] + b[0]) / 2, block.tall
    return (
        f'<path class="flow {block.style}" d="M{a[0]:.1f},{a[1]:.1f} C{middle:.1f},{a[1]:.1f} {middle:.1f},{b[1]:.1f} '
        f"{b[0]:.1f},{b[1]:.1f} V{b[1] + tall:.1f} C{middle:.1f},{b[1] + tall:.1f} {middle:.1f},{a[1] + tall:.1f} "
        f'{a[0]:.1f},{a[1] + tall:.1f} Z"/>'
    )


def _bars(columns: Sequence[Sequence[Block]], total: int, width: float, says: str) -> str:
    parts: list[str] = []
    y = 4.0
    for column in columns:
        for block in column:
            parts.append(text((0, y + 12), block.words, "tick"))
            parts.append(text((width, y + 12), f"{block.row['runs']:,}", f"value {block.style}", "end"))
            parts.append(bar((0, y + 18), (max(block.row["runs"] / total * width, LEAST), 7), f"block {block.style}"))
            y += 38
        y += 10
    return picture(width, y, parts, says)
