"""How fast the lift over the launch baseline grows, per block of runs."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import stdtrit

# A line through fewer blocks says nothing.
FEWEST = 8


@dataclass(frozen=True, slots=True)
class Slope:
    """Outcome gained per block, with its 95 % interval, and the blocks behind it."""

    per_block: float
    lower: float
    upper: float
    blocks: int


def slope(rows: pa.Table, skill: str = "*") -> Slope | None:
    """Least-squares slope of current − baseline over the blocks of MOMENTUM rows; None below 8 blocks.

    Blocks weigh n₁n₀/(n₁+n₀); the interval is White's (1980) in the form HC3 of MacKinnon and White
    (1985), which holds with few blocks where HC1 misses too often, with Student's t. It is for one
    look: whoever looks after every block will sooner or later see a line that climbs.
    """
    seen = rows.filter((pc.field("skill") == skill) & pc.field("current").is_valid() & pc.field("baseline").is_valid())
    if seen.num_rows < FEWEST:
        return None
    column = {name: seen.column(name).to_numpy().astype(float) for name in ("block", "current", "baseline")}
    ones, zeros = (seen.column(f"{name}_runs").to_numpy().astype(float) for name in ("current", "baseline"))
    weight = ones * zeros / (ones + zeros)
    lift = column["current"] - column["baseline"]
    centred = column["block"] - np.average(column["block"], weights=weight)
    spread = float(np.sum(weight * centred**2))
    found = float(np.sum(weight * centred * lift)) / spread
    residual = lift - np.average(lift, weights=weight) - found * centred
    count = seen.num_rows
    leverage = weight / np.sum(weight) + weight * centred**2 / spread
    variance = float(np.sum((weight * centred * residual / (1 - leverage)) ** 2)) / spread**2
    width = float(stdtrit(count - 2, 0.975)) * variance**0.5
    return Slope(found, found - width, found + width, count)
