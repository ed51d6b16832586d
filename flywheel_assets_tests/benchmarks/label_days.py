"""A few answers a day about the standing sample: how far off confidence is after so many days of them."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flywheel_assets.examples.anchored import Earlier
from flywheel_assets.examples.fuse import fuse
from flywheel_assets.tables.anchored_opinions import ANCHORED_OPINIONS, EARLIER_ANCHORS
from flywheel_assets_tests.benchmarks.label_crowd import (
    Crowd,
    Numbers,
    calibration_error,
    chance_of,
    read_crowd,
    shares,
    votes_about,
)

FIRST = date(2026, 11, 1)
TASKS, ANCHORS, DRAWS = 20, 5, 10
# The first four days have fewer than twenty anchors before them.
SPANS = (0, 4, 8, 20)
# Of a day's tasks that are no anchors what is believed of each answer, and the true ones.
Day = tuple[Numbers, NDArray[np.int64]]


def day_lines(folder: Path, names: tuple[str, ...], answers: tuple[int, ...]) -> list[str]:
    """A table: by set and answers a task, how far off confidence is on the first days and on later ones."""
    heads = " | ".join(f"days {first + 1} to {last}" for first, last in pairwise(SPANS))
    lines = [f"| set | answers | {heads} |", "|---|---|" + "---|" * (len(SPANS) - 1)]
    for name in names:
        crowd = read_crowd(folder, name)
        for each in answers:
            found = [days_of(crowd.some(each, seed), seed) for seed in range(DRAWS)]
            off = [_off([one for some in found for one in some[first:last]]) for first, last in pairwise(SPANS)]
            lines.append(f"| {name} | {each} | {' | '.join(off)} |")
    return lines


def _off(days: list[Day]) -> str:
    """How far off the days together are; a set may have too few tasks for as many."""
    return f"{calibration_error(*map(np.concatenate, zip(*days, strict=True))):.3f}" if days else "–"


def days_of(crowd: Crowd, seed: int) -> list[Day]:
    drawn = np.random.default_rng(seed).permutation(len(crowd.truth))
    days = [drawn[at : at + TASKS] for at in range(0, len(drawn) - TASKS + 1, TASKS)]
    chances = [list(_chances(crowd, answer, days)) for answer in range(crowd.answers)]
    believed = (shares(np.stack(one, axis=1)) for one in zip(*chances, strict=True))
    return [(one[ANCHORS:], crowd.truth[tasks[ANCHORS:]]) for one, tasks in zip(believed, days, strict=True)]


def _chances(crowd: Crowd, answer: int, days: list[NDArray[np.int64]]) -> Iterator[Numbers]:
    """Day after day how likely `answer` is for its tasks, of which the first are anchors."""
    con = duckdb.connect()
    kept = ANCHORED_OPINIONS.empty()
    for number, tasks in enumerate(days):
        mine = np.isin(crowd.task, tasks)
        place = np.full(len(crowd.truth), -1)
        place[tasks] = np.arange(len(tasks))
        day = Crowd(place[crowd.task[mine]], crowd.worker[mine], crowd.answer[mine], crowd.truth[tasks], crowd.answers)
        votes = votes_about(day, answer, np.arange(ANCHORS))
        at = FIRST + timedelta(days=number)
        con.register("anchored_opinions", kept)
        con.register("asked", pa.table({"day": [at]}))
        earlier = con.execute(f"SELECT said.* FROM ({EARLIER_ANCHORS})").to_arrow_table()
        labels, _, anchored = fuse(votes, Earlier.of(earlier, votes))
        dated = anchored.append_column("day", pa.repeat(pa.scalar(at), len(anchored)))
        kept = pa.concat_tables([kept, ANCHORED_OPINIONS.conform(dated)])
        yield chance_of(labels)
