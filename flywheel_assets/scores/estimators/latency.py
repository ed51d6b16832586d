"""Quantiles of durations from counts in buckets that grow by a fourth of a doubling.

Bucket i holds [2^(i/4), 2^((i+1)/4)) milliseconds, so a quantile is known to within 19 %; within a
bucket, durations are taken to be spread evenly on the log scale.
"""

from collections.abc import Sequence

import numpy as np


def quantile_seconds(buckets: Sequence[int], q: float) -> float | None:
    """The duration that a share `q` of the runs stays below, in seconds; None without runs."""
    counts = np.asarray(buckets, dtype=np.float64)
    total = float(counts.sum())
    if total == 0:
        return None
    cumulated = np.cumsum(counts)
    bucket = int(np.searchsorted(cumulated, q * total))
    inside = (q * total - (cumulated[bucket] - counts[bucket])) / counts[bucket] if counts[bucket] else 0.0
    return float(2 ** ((bucket + inside) / 4) / 1000)
