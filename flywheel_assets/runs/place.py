"""Which run every span belongs to, for one window of spans.

The outermost span that opens a run is its root: what hangs below, other runs included, is part of
it. Spans of a durable runtime find their run by its id, across traces. What is left over in a trace
with exactly one run (a parent that was lost, a wrapper around the agent) belongs to that run; in a
trace with several it belongs to none. Evaluations never open a run, nor does what is below them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flywheel_assets.runs.tree import Flag, Index, above, nearest, outermost, uncycled

NOBODY = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Window:
    """Spans in order of time, as arrays; every reference is an index into them, -1 for none.

    `trace` and `invocation` hold the first span with the same trace or invocation id, `invoked` the
    first span of the invocation that this span started; `attempt` is NaN where none is stated.
    """

    parent: Index
    trace: Index
    invocation: Index
    invoked: Index
    opens: Flag
    llm: Flag
    evaluation: Flag
    tries: Flag
    failed: Flag
    attempt: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Placement:
    """Per span: its run's root and first span, -1 for none; whether it is an annotation, …"""

    root: Index
    first: Index
    annotation: Flag
    call: Flag
    own: Flag
    attempt: Index


def place(window: Window) -> Placement:
    """The run of every span, its role there, and its attempt (from 1, 0 where not known)."""
    parent = uncycled(window.parent)
    annotation = outermost(parent, window.evaluation) >= 0
    opens = window.opens & ~annotation
    top = outermost(parent, opens)
    run = np.where(top >= 0, _code(window, top), -1)
    run = _fold_invoked(run, window.invoked)
    run = _by_invocation(run, window.invocation)
    run, top = _bare_calls(run, top, window, parent, annotation)
    roots = _roots(run, top)
    root = np.where(run >= 0, roots[run], -1)
    own = (run >= 0) & (window.invocation >= 0) & (window.invocation == window.invocation[root])
    durable = (run >= 0) & (window.invocation[root] >= 0)
    first = np.where(durable, window.invocation[root], root)
    return Placement(
        root=root,
        first=first,
        annotation=annotation,
        call=window.llm & ~annotation & ~above(parent, window.llm & ~annotation),
        own=own | ((run >= 0) & ~durable),
        attempt=_attempts(window, parent, own, root),
    )


def _code(window: Window, top: Index) -> Index:
    """What a run is known by while it is put together: its id's first span, else its root."""
    invocation = window.invocation[top]
    return np.where(invocation >= 0, invocation, top)


def _fold_invoked(run: Index, invoked: Index) -> Index:
    """Runs that a step of another run started become part of that run."""
    caller = np.full(len(run), -1, dtype=np.int64)
    calls = (invoked >= 0) & (run >= 0)
    caller[invoked[calls]] = run[calls]
    caller = uncycled(caller)
    outer = outermost(caller, np.ones(len(run), dtype=np.bool_))
    return np.where(run >= 0, outer[run], -1)


def _by_invocation(run: Index, invocation: Index) -> Index:
    """Spans that name a run but could not open it (evaluations made inside it) join it."""
    stray = (run < 0) & (invocation >= 0)
    if not stray.any():
        return run
    known = np.full(len(run), -1, dtype=np.int64)
    member = (run >= 0) & (invocation >= 0)
    known[invocation[member]] = run[member]
    return np.where(stray, known[invocation], run)


def _bare_calls(run: Index, top: Index, window: Window, parent: Index, annotation: Flag) -> tuple[Index, Index]:
    """Left-over spans join their trace's only run; a trace without any makes runs of its model calls."""
    run, empty = _only_run_of_trace(run, window.trace)
    calls = outermost(parent, window.llm & ~annotation & empty)
    run = np.where((run < 0) & empty, calls, run)
    top = np.where(empty & (calls >= 0), calls, top)
    return _only_run_of_trace(run, window.trace)[0], top


def _only_run_of_trace(run: Index, trace: Index) -> tuple[Index, Flag]:
    least = np.full(len(run), NOBODY, dtype=np.int64)
    most = np.full(len(run), -1, dtype=np.int64)
    placed = run >= 0
    np.minimum.at(least, trace[placed], run[placed])
    np.maximum.at(most, trace[placed], run[placed])
    only = np.where((least == most)[trace], most[trace], -1)
    return np.where(placed, run, only), (most < 0)[trace]


def _roots(run: Index, top: Index) -> Index:
    """The earliest of a run's outermost spans, by run."""
    roots = np.full(len(run), NOBODY, dtype=np.int64)
    heads = np.flatnonzero((top == np.arange(len(run))) & (run >= 0))
    np.minimum.at(roots, run[heads], heads)
    return roots


def _attempts(window: Window, parent: Index, own: Flag, root: Index) -> Index:
    """The attempt each span is part of: as stated, else one more than the failed attempts before it."""
    attempt = np.where(np.isnan(window.attempt), 0, window.attempt).astype(np.int64)
    tries = np.flatnonzero(window.tries & own & (attempt == 0))
    order = tries[np.lexsort((tries, root[tries]))]
    failed = window.failed[order].astype(np.int64)
    before = np.cumsum(failed) - failed
    start = np.flatnonzero(np.diff(root[order], prepend=-1))
    base = np.repeat(before[start], np.diff(np.append(start, len(order))))
    attempt[order] = before - base + 1
    near = nearest(parent, (attempt > 0) & own)
    same = (near >= 0) & (root[near] == root)
    return np.where(same, attempt[near], 0)
