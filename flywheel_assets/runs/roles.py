"""The role of every span in its run."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.runs.members import Members, run_ids
from flywheel_assets.runs.near import Near
from flywheel_assets.runs.tree import Flag, distinct, numbered


def run_spans(near: Near, members: Members, idle: Flag, day: date) -> pa.Table:
    """Every span that the day answers for, in order of their ids, with its run."""
    spans = np.flatnonzero(members.mine)
    ids = near.select(["trace_id", "span_id"], spans)
    order = pc.sort_indices(ids, sort_keys=[("trace_id", "ascending"), ("span_id", "ascending")])
    spans, ids = spans[order.to_numpy()], ids.take(order)
    roots = distinct(members.root[spans], len(near))
    run = numbered(roots, len(near))[members.root[spans]]
    attempt = members.attempt[spans]
    return pa.table(
        {
            "day": pa.repeat(pa.scalar(day, pa.date32()), len(spans)),
            "run_id": run_ids(near, roots).take(pa.array(run, mask=run < 0)),
            **{name: ids[name] for name in ids.column_names},
            "span_day": near.values("day", spans),
            "role": _roles(near, members, idle).take(pa.array(spans)),
            "attempt": pa.array(attempt, mask=attempt == 0),
        }
    )


def _roles(near: Near, members: Members, idle: Flag) -> pa.Array:
    """The first that is true of a span."""
    roles = {
        "none": members.root < 0,
        "root": members.root == np.arange(len(near)),
        "annotation": members.annotation,
        "other": idle | members.copy,
        **{name: near.equal("operation", name) for name in ("attempt", "llm", "tool")},
        "step": near.equal("operation", "step", "agent", "chain", "workflow"),
    }
    names = [*roles, "other"]
    number = np.select(list(roles.values()), range(len(roles)), len(roles))
    return pa.array(names).take(pa.array(number))
