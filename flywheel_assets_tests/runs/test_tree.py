"""Ancestors of all nodes at once, against walking up one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_assets.runs.tree import above, nearest, outermost, uncycled

FORESTS = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(-1, n - 1), min_size=n, max_size=n), st.lists(st.booleans(), min_size=n, max_size=n)
    )
)


def walk(parent, node):
    """A node and its ancestors, upwards."""
    path = [node]
    while parent[path[-1]] >= 0:
        path.append(parent[path[-1]])
    return path


@given(FORESTS)
def test_every_node_knows_its_flagged_ancestors(forest):
    parent, flag = np.array(forest[0]), np.array(forest[1])
    parent = uncycled(parent)
    paths = [walk(parent, node) for node in range(len(parent))]
    flagged = [[node for node in path if flag[node]] for path in paths]
    assert outermost(parent, flag).tolist() == [path[-1] if path else -1 for path in flagged]
    assert nearest(parent, flag).tolist() == [path[0] if path else -1 for path in flagged]
    below = {node for start, path in enumerate(paths) if flag[start] for node in path[1:]}
    assert np.flatnonzero(above(parent, flag)).tolist() == sorted(below)


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        ([-1, 0, 1], [-1, 0, 1]),
        ([0, 0], [-1, 0]),
        ([1, 2, 0, 0], [-1, -1, -1, 0]),
        ([1, 0, 3, 2, -1, 4], [-1, -1, -1, -1, -1, 4]),
        ([], []),
    ],
)
def test_nodes_on_a_cycle_become_roots(parent, expected):
    assert uncycled(np.array(parent, dtype=np.int64)).tolist() == expected


@given(FORESTS)
def test_only_nodes_on_a_cycle_lose_their_parent(forest):
    parent = np.array(forest[0])
    for node, (before, after) in enumerate(zip(parent.tolist(), uncycled(parent).tolist(), strict=True)):
        path, seen = before, set()
        while path >= 0 and path not in seen and path != node:
            seen.add(path)
            path = parent[path]
        assert after == (-1 if path == node else before)
