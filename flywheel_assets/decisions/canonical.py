"""Numbers and documents in the one form in which they are written, hashed and compared."""

import json
from collections.abc import Sequence

import numpy as np

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
# No JSON text has a raw line break in it, so that a list that is joined by them can be taken apart.
_LINES = json.JSONEncoder(separators=("\n", ":"), ensure_ascii=False, allow_nan=False)


def canonical(document: object) -> str:
    """JSON with sorted keys and no spaces. Raises ValueError on NaN and infinity."""
    return _ENCODER.encode(document)


def canonical_each(column: Sequence[str | float | None]) -> list[str]:
    """`canonical` of each, in one call for all: texts, numbers, truth values and None alone."""
    return _LINES.encode(column)[1:-1].split("\n") if column else []


def stated(value: float) -> float:
    """Nine significant digits: what sums in another order or on another processor agree on."""
    return float(f"{value:.9g}")


def e_value(log_capital: float) -> float:
    """The e-value, cut at 1e300 so that it stays a number."""
    return stated(float(np.exp(min(log_capital, np.log(1e300)))))
