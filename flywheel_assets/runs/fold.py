"""Fold a day's spans into runs."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.runs.captured import content
from flywheel_assets.runs.members import Members, members
from flywheel_assets.runs.models import models
from flywheel_assets.runs.near import Near
from flywheel_assets.runs.roles import run_spans
from flywheel_assets.runs.script import prepare
from flywheel_assets.runs.sums import Parts, sums
from flywheel_assets.runs.tree import Flag
from flywheel_assets.runs.units import registry
from flywheel_assets.runs.window import gather
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.run_spans import RUN_SPANS
from flywheel_assets.tables.statements import PRICES, SKILL_NAMES

# How long after a run's last sign of life others' later ones mean that it has none left.
ABANDONED_AFTER = timedelta(hours=24)


def fold_runs(
    con: duckdb.DuckDBPyConnection, day: date, abandoned_after: timedelta = ABANDONED_AFTER
) -> tuple[pa.Table, pa.Table]:
    """`agent_runs` of the runs that start on `day`, and `run_spans` of every span they hold.

    `con` shows `raw_spans` of the day, the one before and the one after. Over all days, every span
    has exactly one row in `run_spans`: a span looks for its run no further back than the day before
    its own, and is written with the day its run started, or with its own where it has none. Time is
    what the spans show of it: an open run is abandoned when one on `con` starts later than its last
    sign of life plus `abandoned_after`, which is a day at most: further ahead nothing is looked at.
    """
    for table in (PRICES, SKILL_NAMES):
        try:
            con.table(table.name)
        except duckdb.CatalogException:
            con.register(table.name, table.empty())
    near, window = gather(con, day)
    found = members(near, window, day)
    idle = _idle(con, near, found)
    runs = _runs(con, Parts.of(near, window, found, idle), abandoned_after)
    runs["day"] = pa.repeat(pa.scalar(day), len(runs["run_id"]))
    return AGENT_RUNS.conform(pa.table({name: runs[name] for name in AGENT_RUNS.names})), RUN_SPANS.conform(
        run_spans(near, found, idle, day)
    )


def _runs(con: duckdb.DuckDBPyConnection, parts: Parts, abandoned_after: timedelta) -> dict[str, pa.Array]:
    """One entry per run in every column."""
    columns = sums(con, parts) | models(parts) | content(con, parts)
    query = prepare(
        con,
        "agent_runs",
        {"folded": pa.table(columns)},
        {"abandoned_after_ns": abandoned_after // timedelta(microseconds=1) * 1000, "bare": registry.BARE},
        {"silent": registry.silent_sql()},
    )
    follows = con.execute(query).to_arrow_table()
    follows = follows.take(pc.sort_indices(follows["run"]))
    # All others are not read for this: long texts pass through no join, which would copy them.
    return columns | {name: follows[name] for name in follows.column_names}


def _idle(con: duckdb.DuckDBPyConnection, near: Near, found: Members) -> Flag:
    """Which attempts never ran."""
    idle, waited = np.zeros(len(near), np.bool_), near.known("waited_ns") & (found.run >= 0)
    if waited.any():
        spans = np.flatnonzero(found.own & np.isin(found.run, found.run[waited]))
        moments = near.select(["waited_ns", "stated_attempt", "start_unix_nano", "duration_ns"], spans)
        moments = moments.append_column("span", pa.array(spans)).append_column("run", pa.array(found.run[spans]))
        idle[con.execute(prepare(con, "idle", {"moments": moments})).fetchnumpy()["span"]] = True
    return idle
