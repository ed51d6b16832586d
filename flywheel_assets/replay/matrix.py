"""A recorded matrix: which arm had which outcome, at which cost, on which item.

A file in Parquet, CSV or JSON lines, one row per item and arm:

    item      what was asked, by any id; rows without one are rates to draw outcomes from
    arm       what answered: a model, a prompt, anything that a route can choose
    outcome   in [0, 1]
    cost      optional, USD          text, time      optional, of the item
    gate      optional, 0 or 1: whether a check that is at hand at once would have passed the answer

or one row per item with a column '<arm>_correct' (or _outcome, _success) for each arm. Columns are
found by their names' meaning, or named on the command line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from flywheel_assets.tables.documents.scorer import numbers

Reals = NDArray[np.float64]
MEANING: Mapping[str, tuple[str, ...]] = {
    "item": ("item", "item_id", "prompt_id", "example_id", "ex_id", "question_id", "task_id", "id"),
    "arm": ("arm", "model", "variant", "prompt_version"),
    "outcome": ("outcome", "correct", "oracle_correct", "success", "score", "reward", "accuracy", "acc"),
    "cost": ("cost", "cost_usd"),
    "text": ("text", "prompt", "question", "input"),
    "time": ("time", "timestamp", "start_time", "date", "contest_date"),
    "gate": ("gate", "gate_pass"),
}
SUFFIXES = ("_correct", "_outcome", "_success")


@dataclass(frozen=True, slots=True)
class Matrix:
    """Items × arms. NaN where an arm was not recorded on an item; `rates` says that outcomes are to be drawn."""

    items: tuple[str, ...]
    arms: tuple[str, ...]
    outcome: Reals
    cost: Reals
    gate: Reals
    texts: tuple[str, ...]
    contexts: tuple[Mapping[str, Any], ...]
    ordered: bool = False
    rates: bool = False

    def take(self, rows: NDArray[np.int64]) -> "Matrix":
        """Some of the items, in this order."""
        return Matrix(
            tuple(self.items[row] for row in rows),
            self.arms,
            self.outcome[rows],
            self.cost[rows],
            self.gate[rows],
            tuple(self.texts[row] for row in rows),
            tuple(self.contexts[row] for row in rows),
            self.ordered,
            self.rates,
        )


def by_arm(values: Reals) -> Reals:
    """Means by arm of items × arms; NaN where nothing was recorded."""
    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    return np.divide(sums, counts, out=np.full(values.shape[1], np.nan), where=counts > 0)


def drawn(matrix: Matrix, items: int, arms: int, baseline: str, seed: int) -> Matrix:
    """Items with outcomes drawn from a matrix of rates, for the launch arm and at most so many arms by chance."""
    rng = np.random.default_rng(seed)
    others = [arm for arm in matrix.arms if arm != baseline]
    kept = [baseline, *(others[at] for at in rng.permutation(len(others))[: arms - 1])]
    places = [matrix.arms.index(arm) for arm in kept]
    rate = np.nanmean(matrix.outcome[:, places], axis=0)
    # Of random words: requests that are alike would count as duplicates.
    texts = tuple(" ".join(f"{word:05x}" for word in row) for row in rng.integers(16**5, size=(items, 6)))
    outcome = (rng.random((items, len(kept))) < rate).astype(float)
    cost = np.broadcast_to(by_arm(matrix.cost[:, places]), outcome.shape)
    names = tuple(str(at) for at in range(items))
    return Matrix(names, tuple(kept), outcome, cost, np.full(outcome.shape, np.nan), texts, ({},) * items)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read: columns by meaning, context columns, a DuckDB condition, prices by arm."""

    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    context: tuple[str, ...] = ()
    where: str = ""
    prices: Mapping[str, float] = field(default_factory=dict[str, float])


def read(path: Path, reading: Reading | None = None) -> Matrix:
    """Read a file. Raises ValueError where it is no matrix, and says what is missing."""
    reading = reading or Reading()
    rows = _rows(path, reading.where)
    if not rows:
        raise ValueError(f"no row of {path} is left" + (f" by: {reading.where}" if reading.where else ""))
    names = list(rows[0])
    found = {
        meaning: reading.columns.get(meaning) or next((name for name in synonyms if name in names), None)
        for meaning, synonyms in MEANING.items()
    }
    absent = [name for name in (*reading.columns.values(), *reading.context) if name not in names]
    if absent:
        raise ValueError(f"{path} has no column {', '.join(absent)}; it has {', '.join(names)}")
    wide = [name for name in names if name.endswith(SUFFIXES)]
    if len(wide) > 1 and "outcome" not in reading.columns:
        return _wide(rows, found, wide, reading)
    if found["arm"] is None or found["outcome"] is None:
        raise ValueError(f"{path} has no column for arm or outcome among {', '.join(names)}: name them")
    return _long(rows, found, reading)


def _rows(path: Path, where: str) -> list[dict[str, Any]]:
    how = "read_parquet" if path.suffix == ".parquet" else "read_json_auto" if ".json" in path.name else "read_csv_auto"
    with duckdb.connect() as con:
        found = con.execute(f"SELECT * FROM {how}($path)" + (f" WHERE {where}" if where else ""), {"path": str(path)})
        return found.to_arrow_table().to_pylist()


def _wide(
    rows: Sequence[Mapping[str, Any]], found: Mapping[str, str | None], wide: Sequence[str], reading: Reading
) -> Matrix:
    arms = tuple(name.rpartition("_")[0] for name in wide)
    rows = _in_order(rows, found["time"])
    outcome = np.array([[_number(row[name]) for name in wide] for row in rows])
    cost = np.array([[_number(row.get(f"{arm}_cost"), reading.prices.get(arm)) for arm in arms] for row in rows])
    return Matrix(
        tuple(str(row[found["item"]] if found["item"] else at) for at, row in enumerate(rows)),
        arms,
        outcome,
        cost,
        np.full(outcome.shape, np.nan),
        tuple(str(row[found["text"]] or "") if found["text"] else "" for row in rows),
        tuple(_context(row, reading.context) for row in rows),
        found["time"] is not None,
    )


def _long(rows: Sequence[Mapping[str, Any]], found: Mapping[str, str | None], reading: Reading) -> Matrix:
    """One row per item, of the first row that names it; of several rows for one cell the last counts."""
    arm_of, item_of = str(found["arm"]), found["item"]
    rows = _in_order(rows, found["time"])
    arms = tuple(sorted({str(row[arm_of]) for row in rows}))
    place = {arm: at for at, arm in enumerate(arms)}
    first: dict[str, Mapping[str, Any]] = {}
    cells: dict[str, dict[str, Reals]] = {}
    for row in rows:
        item = str(row[item_of]) if item_of else "rates"
        if item not in first:
            first[item] = row
            cells[item] = {name: np.full(len(arms), np.nan) for name in ("outcome", "cost", "gate")}
        at = place[str(row[arm_of])]
        cells[item]["outcome"][at] = _number(row[str(found["outcome"])])
        price = reading.prices.get(str(row[arm_of]))
        cells[item]["cost"][at] = _number(row[found["cost"]] if found["cost"] else None, price)
        cells[item]["gate"][at] = _number(row[found["gate"]] if found["gate"] else None)
    return Matrix(
        tuple(first),
        arms,
        *(np.stack([cells[item][name] for item in first]) for name in ("outcome", "cost", "gate")),
        texts=tuple(str(row[found["text"]] or "") if found["text"] else "" for row in first.values()),
        contexts=tuple(_context(row, reading.context) for row in first.values()),
        ordered=found["time"] is not None,
        rates=item_of is None,
    )


def _in_order(rows: Sequence[Mapping[str, Any]], time: str | None) -> Sequence[Mapping[str, Any]]:
    return rows if time is None else sorted(rows, key=lambda row: (row[time] is None, str(row[time] or "")))


def _context(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Numbers and lists of them stay what they are; all else is a class."""
    return {name: row[name] if numbers(row[name]) else str(row[name]) for name in names if row[name] is not None}


def _number(value: object, otherwise: float | None = None) -> float:
    if isinstance(value, (bool, int, float)):
        return float(value)
    return float("nan") if otherwise is None else otherwise
