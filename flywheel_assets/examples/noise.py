"""Labels that do not fit their runs, by confident learning (Northcutt, Jiang and Chuang, 2021).

How likely each label is, is foretold from what else is known of its run, by a model that has not seen
it. A label is suspect if the other side is at least as likely as it is, on average, for runs that are
labelled so. Its weight falls, and the view `label_suspects` lists it; the label and its votes stay.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flywheel_assets.examples.work import Flags, flags

Numbers = NDArray[np.float64]
HERE = Path(__file__).parent
# Fewer labels, or fewer of either side, foretell nothing.
LEAST, LEAST_OF_EITHER = 100, 10
LEAST_APART = 0.1
FOLDS, ROUNDS = 5, 25
RIDGE = 1.0
KEPT = pa.schema([("example_id", pa.string()), ("kept", pa.float64())])


@dataclass(frozen=True, slots=True)
class Suspects:
    """Which labels are suspect, and how much of its weight each label keeps."""

    suspect: Flags
    kept: Numbers


def suspects(good: Flags, chance: Numbers) -> Suspects:
    """From labels and how likely good is for each, as foretold without it."""
    own, other = np.where(good, chance, 1 - chance), np.where(good, 1 - chance, chance)
    usual_good = chance[good].mean() if good.any() else 1.0
    usual_bad = 1 - chance[~good].mean() if (~good).any() else 1.0
    usual_own, usual_other = np.where(good, usual_good, usual_bad), np.where(good, usual_bad, usual_good)
    # Where good runs are foretold as bad ones are, nothing is known against any label.
    apart = usual_good + usual_bad - 1 >= LEAST_APART
    suspect = (other >= usual_other) & (other > own) & apart
    return Suspects(suspect, np.where(suspect, np.clip(own / usual_own, 0, 1), 1.0))


def foretold(signs: Numbers, good: Flags) -> Numbers:
    """How likely good is, by a logistic rule with a ridge on the other folds. NaN signs count as average."""
    fold = np.arange(len(good)) % FOLDS
    chance = np.empty(len(good))
    for one in range(FOLDS):
        known = fold != one
        counted = np.maximum((~np.isnan(signs[known])).sum(axis=0), 1)
        middle = np.nansum(signs[known], axis=0) / counted
        centred = np.where(np.isnan(signs), 0.0, signs - middle)
        spread = np.sqrt((centred[known] ** 2).sum(axis=0) / counted)
        scaled = np.column_stack([np.ones(len(good)), np.clip(centred / np.where(spread > 0, spread, 1.0), -5, 5)])
        chance[~known] = _logistic(scaled[~known] @ _fit(scaled[known], good[known]))
    return chance


def _fit(signs: Numbers, good: Flags) -> Numbers:
    """Coefficients of a logistic rule, by Newton's method; the constant is not drawn to nought."""
    ridge = np.diag([1e-6, *[RIDGE] * (signs.shape[1] - 1)])
    found = np.zeros(signs.shape[1])
    for _ in range(ROUNDS):
        chance = _logistic(signs @ found)
        slope = signs.T @ (good - chance) - ridge @ found
        step = np.linalg.solve((signs * (chance * (1 - chance))[:, None]).T @ signs + ridge, slope)
        found = found + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return found


def _logistic(value: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-np.clip(value, -30, 30)))


def kept_weights(con: duckdb.DuckDBPyConnection, examples: pa.Table) -> pa.Table:
    """`example_id` and `kept` of suspect labels, from `outcomes`; on `con` are `examples`, `ballots` and `runs`.

    Only what people and judges said is doubted: a check is what it is.
    """
    if np.count_nonzero(flags(pc.is_in(examples["tier"], pa.array(["human", "judge"])))) < LEAST:
        return KEPT.empty_table()
    told = con.execute((HERE / "noise.sql").read_text()).to_arrow_table()
    names = told.column("example_id").to_numpy()
    group, good = told.column("set").to_numpy(), told.column("good").to_numpy().astype(np.bool_)
    columns = [name for name in told.column_names if name.startswith("sign_")]
    signs = np.column_stack([told.column(name).to_numpy().astype(np.float64) for name in columns])
    found, kept = [pa.array([], pa.string())], [np.empty(0)]
    for one in np.unique(group):
        mine = np.flatnonzero(group == one)
        few = min(good[mine].sum(), (~good[mine]).sum())
        if len(mine) < LEAST or few < LEAST_OF_EITHER:
            continue
        judged = suspects(good[mine], foretold(signs[mine], good[mine]))
        found.append(pa.array(names[mine][judged.suspect], pa.string()))
        kept.append(judged.kept[judged.suspect])
    return pa.table({"example_id": pa.chunked_array(found), "kept": np.concatenate(kept)})
