"""The power ledger: what a skill's traffic can tell and how soon; and what its runs lack."""

from collections import defaultdict
from datetime import date, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from scipy.special import ndtri

from flywheel_assets.tables.skill_outlook import SKILL_OUTLOOK

_OUTLOOK = (Path(__file__).parent / "outlook.sql").read_text()
DAYS, MONTH = 14, 30
# The first trial of a stream gets α = 0.0125 of a budget of 0.05; power of four in five.
ALPHA, POWER = 0.0125, 0.8
# What looking at any time costs beside one look at the end, as simulated.
ANYTIME = 1.5
POINTS = 0.03
# Of all units a trial draws, those of both its arms.
TRIAL_SHARE = 0.8
FEWEST = 20
# A spread below this would promise power that outcomes of one kind so far do not warrant.
LEAST_SPREAD = 0.1


def outlook(con: duckdb.DuckDBPyConnection, as_of: date) -> pa.Table:
    """SKILL_OUTLOOK from `labeled_examples` on `con`, as of a day."""
    rows = con.execute(_OUTLOOK, {"as_of": as_of, "days": DAYS}).to_arrow_table().to_pylist()
    return SKILL_OUTLOOK.conform(SKILL_OUTLOOK.rows([_skill(row, as_of) for row in rows]))


def units_needed(difference: float, spread: float) -> float:
    """Units of both arms, split evenly, that find a difference four times in five."""
    return float(ANYTIME * 4 * spread**2 * (ndtri(1 - ALPHA) + ndtri(POWER)) ** 2 / difference**2)


def _skill(row: dict[str, Any], as_of: date) -> dict[str, object]:
    spread = max(row["spread"], LEAST_SPREAD) if row["outcomes"] >= FEWEST else None
    told, all_units = row["told"] / row["days"], row["units"] / row["days"]
    names = ("skill", "runs", "without_skill", "without_outcome", "without_propensity")
    found: dict[str, object] = {
        **{name: row[name] for name in names},
        "silent": _silent(row),
        "units_a_day": told,
        "spread": spread,
        "labels_worth": all_units - told,
        "confounded": _confounded(row["arms"] or []) if row["skill"] != "*" else [],
    }
    if spread is None or not told or row["skill"] == "*":
        return found | {"advice": _silent(row) or "more outcomes: too few to say what could be told"}
    needed = units_needed(POINTS, spread)
    days = ceil(needed / (told * TRIAL_SHARE))
    within = days <= 3650
    return found | {
        "detectable_30_days": min(POINTS * (needed / (told * TRIAL_SHARE * MONTH)) ** 0.5, 1.0),
        "three_points_units": needed,
        "three_points_by": as_of + timedelta(days=days) if within else None,
        "advice": _advice(row, told, all_units, days),
    }


def _advice(row: dict[str, Any], told: float, all_units: float, days: int) -> str:
    sooner = ceil(days * told / all_units)
    if row["without_propensity"] > 0.5:
        return "let the client decide: without propensities no trial can run, whatever the traffic"
    if all_units - told > 0.2 * all_units:
        return f"buy labels first: with an outcome on every unit three points take {sooner} days instead of {days}"
    return f"three points take {days} days of this traffic; try candidates that promise more"


def _silent(row: dict[str, Any]) -> str | None:
    """What to do where at least half of the runs teach nothing, the first cause first."""
    for column, words in (
        ("without_skill", "state flywheel.skill.name, or let the client decide: runs without a skill teach nothing"),
        ("without_outcome", "send outcomes: an evaluation event, or feedback by run"),
        ("without_propensity", "let the client decide: runs without a propensity can be scored, not compared"),
    ):
        if row[column] >= 0.5:
            return f"{row[column]:.0%} of the runs: {words}"
    return None


def _confounded(arms: list[dict[str, str]]) -> list[str]:
    """Parts of arms that were only ever seen together, where there are several of each."""
    prompts, models = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for arm in arms:
        prompts[arm["model"]].add(arm["prompt"])
        models[arm["prompt"]].add(arm["model"])
    if len(prompts) < 2 or len(models) < 2:
        return []
    return sorted(
        f"model {model} is confounded with prompt {next(iter(seen))}"
        for model, seen in prompts.items()
        if len(seen) == 1 and len(models[next(iter(seen))]) == 1
    )
