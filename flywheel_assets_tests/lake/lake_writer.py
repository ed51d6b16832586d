"""A process of its own that writes to a lake: `lake_writer.py ROOT OPTIONS DO ARGUMENTS…`, JSON on stdout."""

import json
import sys
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.example_signatures import EXAMPLE_SIGNATURES

FIRST = date(2026, 1, 1)


def signatures(day: date, count: int, tag: str = "") -> pa.Table:
    fixed = {"scope": "s", "content_hash": "h", "minhash": [1, 2], "start_time": datetime(2026, 1, 1, tzinfo=UTC)}
    return EXAMPLE_SIGNATURES.rows([{"day": day, "example_id": f"{tag}{n}", **fixed} for n in range(count)])


def argument(run_id: str) -> pa.Table:
    fixed = {"entry_id": "e", "experiment_id": "x", "trace_id": "t", "root_span_id": "r", "unit_id": "u"}
    return DECISION_ARGUMENTS.rows([{**fixed, "run_id": run_id, "side": "candidate", "outcome": 1.0, "weight": 0.1}])


def overwrite(lake: Lake, shift: int, times: int) -> list[int]:
    """One day, rewritten with one row more each time."""
    day = FIRST + timedelta(days=shift)
    return [lake.overwrite(EXAMPLE_SIGNATURES, signatures(day, n + 1), day).version for n in range(times)]


def append(lake: Lake, keys: list[str]) -> list[int | None]:
    """One row under each key."""
    return [lake.append(DECISION_ARGUMENTS, argument(key), key=key) for key in keys]


def alternate(lake: Lake, rows: int) -> None:
    """One day, whole, over and over, its rows all tagged by the round; prints each finished round."""
    for turn in range(10_000):
        lake.overwrite(EXAMPLE_SIGNATURES, signatures(FIRST, rows, f"{turn}/"), FIRST, inputs=f"{turn:x}")
        print(turn, flush=True)


if __name__ == "__main__":
    _, root, options, what, *rest = sys.argv
    lake = Lake(root, json.loads(options))
    if what == "overwrite":
        print(json.dumps(overwrite(lake, int(rest[0]), int(rest[1]))))
    elif what == "append":
        print(json.dumps(append(lake, rest)))
    else:
        alternate(lake, int(rest[0]))
