"""Trees given as an array of parents: ancestors of every node at once.

`parent[i]` is the index of node i's parent, -1 for a root. Pointer jumping: with every round each
node knows twice as many of its ancestors, so the cost is nodes × log(depth).
"""

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]
Flag = NDArray[np.bool_]


def distinct(nodes: Index, size: int) -> Index:
    """The nodes that are named at all, of `size` there are, ascending; -1 is none."""
    named = np.zeros(size + 1, np.bool_)
    named[nodes] = True
    return np.flatnonzero(named[:-1])


def numbered(nodes: Index, size: int) -> Index:
    """For each of `size` nodes its place among those that are given, -1 for those that are not, and for -1."""
    place = np.full(size + 1, -1)
    place[nodes] = np.arange(len(nodes))
    return place


def uncycled(parent: Index) -> Index:
    """`parent` with every node that lies on a cycle made a root: broken instrumentation must not hang us."""
    cut = np.where(parent == np.arange(len(parent)), -1, parent)
    jump = cut.copy()
    for _ in range(len(parent).bit_length() + 1):
        moving = np.flatnonzero(jump >= 0)
        if not len(moving):
            return cut
        jump[moving] = jump[jump[moving]]
    # More steps than there are nodes: whoever is still on the way has arrived on a cycle, and
    # every node of every cycle is someone's destination.
    cut[np.unique(jump[jump >= 0])] = -1
    return cut


def outermost(parent: Index, flag: Flag) -> Index:
    """For each node the flagged ancestor-or-self nearest to the root, -1 where there is none."""
    found = np.where(flag, np.arange(len(parent)), -1)
    jump = parent.copy()
    moving = np.flatnonzero(jump >= 0)
    while len(moving):
        ahead = jump[moving]
        beyond = found[ahead]
        found[moving] = np.where(beyond >= 0, beyond, found[moving])
        jump[moving] = jump[ahead]
        moving = moving[jump[moving] >= 0]
    return found


def nearest(parent: Index, flag: Flag) -> Index:
    """For each node the flagged ancestor-or-self nearest to it, -1 where there is none."""
    found = np.where(flag, np.arange(len(parent)), -1)
    jump = parent.copy()
    moving = np.flatnonzero((jump >= 0) & (found < 0))
    while len(moving):
        ahead = jump[moving]
        beyond = found[ahead]
        further = jump[ahead]
        found[moving] = beyond
        jump[moving] = further
        moving = moving[(beyond < 0) & (further >= 0)]
    return found


def above(parent: Index, flag: Flag) -> Flag:
    """Which nodes have a flagged node below them."""
    marked = np.zeros(len(parent), dtype=np.bool_)
    frontier = np.unique(parent[flag])
    frontier = frontier[frontier >= 0]
    while len(frontier):
        marked[frontier] = True
        frontier = np.unique(parent[frontier])
        frontier = frontier[frontier >= 0]
        frontier = frontier[~marked[frontier]]
    return marked
