"""Which spans a day answers for, and which run each of them is part of.

Those are the spans of runs that start on the day, the day's spans without a run, and the next day's
tails of runs of this day.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.runs.near import Near
from flywheel_assets.runs.place import Window
from flywheel_assets.runs.tree import Flag, Index
from flywheel_assets.runs.units import registry
from flywheel_assets.runs.window import placed

WORK = ("llm", "tool")


@dataclass(frozen=True, slots=True)
class Members:
    """Per span: whether the day answers for it, its run's root (-1 for none), its role there, its attempt.

    `run` is the root as well, where the day has the run's row: a run that began earlier, and one that woke after
    a day of silence, has its row with the day on which it began. `copy` tells spans that say again what another
    span of their run says.
    """

    mine: Flag
    first: Index
    root: Index
    run: Index
    annotation: Flag
    call: Flag
    own: Flag
    attempt: Index
    copy: Flag


def members(near: Near, window: Window, day: date) -> Members:
    """Spans look for their run on their own day and the one before: the day's spans, and then the next day's."""
    days, today, reaching = near.numbers("day"), np.datetime64(day), near.flags("reaches")
    here = placed(window, (days == today) | ((days < today) & reaching))
    ahead = placed(window, (days >= today) & reaching & (days > today).any())
    tail = (days > today) & (ahead.root >= 0) & (days[ahead.first] == today)
    starts = (here.root >= 0) & (days[here.first] == today)
    begun = np.zeros(len(near), np.bool_)
    begun[here.root[here.own & near.flags("begins")]] = True
    root = np.where(tail, here.root[ahead.root], here.root)
    mine = tail | ((days == today) & (starts | (root < 0)))
    run = np.where(mine & (root >= 0) & (starts & begun)[root], root, -1)
    annotation = np.where(tail, ahead.annotation, here.annotation)
    return Members(
        mine=mine,
        first=here.first,
        root=root,
        run=run,
        annotation=annotation,
        call=np.where(tail, ahead.call, here.call),
        own=np.where(tail, ahead.own, here.own),
        attempt=np.where(tail, ahead.attempt, here.attempt),
        copy=_copies(near, run, annotation),
    )


def _copies(near: Near, run: Index, annotation: Flag) -> Flag:
    """Copies count only where the run does not hold the original."""
    mirrors = near.flags("mirrors") & (run >= 0)
    held = np.zeros(len(near), np.bool_)
    if mirrors.any():
        held[run[(run >= 0) & ~mirrors & ~annotation & near.equal("operation", *WORK)]] = True
    return mirrors & held[run]


def run_ids(near: Near, roots: Index) -> pa.Array:
    """What runs are known by: the invocation's id in durable runtimes, else the root span's ids."""
    invocation, trace, span = (near.values(name, roots) for name in ("invocation_id", "trace_id", "span_id"))
    durable = pa.array(near.equal("runtime", *registry.DURABLE)[roots])
    return pc.if_else(durable, invocation, pc.binary_join_element_wise(trace, span, ":"))
