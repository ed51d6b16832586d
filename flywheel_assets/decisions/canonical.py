"""Numbers and documents in the one form in which they are written, hashed and compared."""

import json

import numpy as np

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(document: object) -> str:
    """JSON with sorted keys and no spaces. Raises ValueError on NaN and infinity."""
    return _ENCODER.encode(document)


def stated(value: float) -> float:
    """Nine significant digits: what sums in another order or on another processor agree on."""
    return float(f"{value:.9g}")


def e_value(log_capital: float) -> float:
    """The e-value, cut at 1e300 so that it stays a number."""
    return stated(float(np.exp(min(log_capital, np.log(1e300)))))
