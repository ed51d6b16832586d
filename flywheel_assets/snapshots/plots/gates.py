"""Where the runs went: seen, judged, admitted — and set aside, with the reason."""

from collections.abc import Mapping, Sequence
from typing import Any

from flywheel_assets.snapshots.plots.svg import bar, picture, text

Row = Mapping[str, Any]

STATES = {"labeled": "outcome known", "missing": "nobody said", "immature": "may still come", "open": "still running"}
STYLES = {"labeled": "good", "admitted": "good", "held": "warn", "discarded": "bad"}
GAP, LEAST, TALL = 16, 2, 210
MOST = 7


def gates_plot(rows: Sequence[Row], width: int) -> str:
    """Rows of the view `funnel`: three columns, joined by flows of proportional height."""
    total = next((row["runs"] for row in rows if row["step"] == 1), 0)
    if not total:
        return picture(width, 60, [text((0, 34), "No run has been seen yet.", "note")], "no runs")
    columns = [[("runs seen", total, "current")], _outcomes(rows), _evidence(rows)]
    thick = 12.0
    across = [0.0, width * 0.30, width * 0.60]
    tallest = max(sum(_height(count, total) for _, count, _ in column) + GAP * len(column) for column in columns)
    parts: list[str] = []
    for number, column in enumerate(columns):
        y = 14.0
        for words, count, style in column:
            tall = _height(count, total)
            if number:
                parts.append(_flow((across[number - 1] + thick, 14.0), (across[number], y), tall, style))
            note = f"{words}: {count:,} of {total:,} runs"
            parts.append(bar((across[number], y), (thick, tall), f"block {style}", note))
            parts.append(text((across[number] + thick + 6, y + min(tall / 2, 10) + 4), f"{count:,}", f"value {style}"))
            offset = 8 + 7.5 * len(f"{count:,}")
            parts.append(text((across[number] + thick + 6 + offset, y + min(tall / 2, 10) + 4), words, "tick"))
            y += tall + GAP
    return picture(width, tallest + 20, parts, "how many runs became evidence, and why the others did not")


def _height(count: int, total: int) -> float:
    return max(count / total * TALL, LEAST)


def _outcomes(rows: Sequence[Row]) -> list[tuple[str, int, str]]:
    found = [row for row in rows if row["step"] == 2]
    return [
        (STATES.get(str(row["state"]), str(row["state"])), row["runs"], STYLES.get(row["state"], "warn"))
        for row in found
    ]


def _evidence(rows: Sequence[Row]) -> list[tuple[str, int, str]]:
    found = [row for row in rows if row["step"] == 3]
    shown = [
        (str(row["reason"] or row["state"]), row["runs"], STYLES.get(row["state"], "warn")) for row in found[:MOST]
    ]
    rest = sum(row["runs"] for row in found[MOST:])
    return [*shown, (f"{len(found) - MOST} more reasons", rest, "warn")] if rest else shown


def _flow(a: tuple[float, float], b: tuple[float, float], tall: float, style: str) -> str:
    middle = (a[0] + b[0]) / 2
    return (
        f'<path class="flow {style}" d="M{a[0]:.1f},{a[1]:.1f} C{middle:.1f},{a[1]:.1f} {middle:.1f},{b[1]:.1f} '
        f"{b[0]:.1f},{b[1]:.1f} V{b[1] + tall:.1f} C{middle:.1f},{b[1] + tall:.1f} {middle:.1f},{a[1] + tall:.1f} "
        f'{a[0]:.1f},{a[1] + tall:.1f} Z"/>'
    )
