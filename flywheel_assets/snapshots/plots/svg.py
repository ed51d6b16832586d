"""The few SVG shapes that the plots are made of, and the scale that places values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from values in [low, high] to pixels in [start, end]."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where the value lies; a scale without extent puts everything in its middle."""
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Round values within the scale, about so many."""
        extent = self.high - self.low
        if extent <= 0 or not isfinite(extent):
            return [self.low]
        power = 10 ** floor(log10(extent / about))
        step = next(power * nice for nice in (1, 2, 5, 10) if extent / (power * nice) <= about)
        first = ceil(self.low / step - 1e-9)
        count = floor(self.high / step + 1e-9) - first + 1
        return [round((first + number) * step, 12) for number in range(count)]


def spanning(values: Iterable[float | None], start: float, end: float, *, pad: float = 0.05) -> Scale:
    """A scale over the values that are there, with some air; over [0, 1] when there are none."""
    known = [value for value in values if value is not None]
    if not known:
        return Scale(0, 1, start, end)
    low, high = min(known), max(known)
    air = (high - low) * pad or 0.05
    return Scale(low - air, high + air, start, end)


def text(at: Point, words: str, style: str = "", anchor: str = "start") -> str:
    """Words at a point."""
    return f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}" class="{style}">{escape(words)}</text>'


def line(a: Point, b: Point, style: str) -> str:
    """A straight line."""
    return f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" class="{style}"/>'


def curve(points: Sequence[Point], style: str) -> str:
    """A line through the points."""
    return f'<polyline points="{_listed(points)}" class="{style}"/>' if points else ""


def area(points: Sequence[Point], style: str) -> str:
    """A filled shape."""
    return f'<polygon points="{_listed(points)}" class="{style}"/>' if points else ""


def dot(at: Point, style: str, radius: float = 4, note: str = "") -> str:
    """A dot that tells `note` when pointed at."""
    shown = f"<title>{escape(note)}</title>" if note else ""
    return f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius}" class="{style}">{shown}</circle>'


def bar(corner: Point, size: Point, style: str, note: str = "") -> str:
    """A rectangle that tells `note` when pointed at."""
    shown = f"<title>{escape(note)}</title>" if note else ""
    return (
        f'<rect x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{max(size[0], 0):.1f}" '
        f'height="{max(size[1], 0):.1f}" class="{style}">{shown}</rect>'
    )


def picture(width: float, height: float, parts: Iterable[str], says: str) -> str:
    """The whole picture; `says` is what a screen reader reads."""
    body = "".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(says)}">{body}</svg>'
    )


def grid(across: Scale, up: Scale, labels: Sequence[str], values: Sequence[float]) -> list[str]:
    """Horizontal grid lines with their labels on the left."""
    lines = [line((across.start, up(value)), (across.end, up(value)), "grid") for value in values]
    words = [text((across.start - 6, up(v) + 4), t, "tick", "end") for v, t in zip(values, labels, strict=True)]
    return lines + words


def percent(value: float, *, signed: bool = False) -> str:
    """A share in per cent, to one decimal."""
    return (f"{value * 100:+.1f}" if signed else f"{value * 100:.1f}").replace("-", "−")


def label(value: float, *, signed: bool = False) -> str:
    """A share in per cent beside an axis: no sign before 0, no decimal where none is needed."""
    return percent(value, signed=signed and value != 0).removesuffix(".0")


def _listed(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
