"""How long `flywheel why` and `flywheel used-by` take when millions of runs have argued.

Every run has two spans and argued in one decision; of the tables, only the columns that these questions
read are filled. By itself it prints JSON lines; `scores.py` makes a page of them.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from flywheel_assets.commands.envelope import Answer
from flywheel_assets.commands.why import used_by, why
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.run_spans import RUN_SPANS
from flywheel_assets.tables.table import DAY, FLAG, INT, REAL, TEXT, TEXTS, TIME, Table

FIRST = date(2026, 1, 1)
DAILY, EACH = 100_000, 2_000
Row = dict[str, object]


def identity(numbers: np.ndarray, digits: int, salt: int) -> pa.Array:
    """Ids as random as those of traces, the same for the same numbers."""
    mixed = (numbers.astype(np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return pa.array([f"{one:016x}" * (digits // 16) for one in mixed.tolist()])


def fill(lake: Lake, runs: int) -> None:
    """Days of runs with their spans, and entries for which they argued."""
    for day in range(runs // DAILY):
        numbers = np.arange(day * DAILY, (day + 1) * DAILY)
        at, trace, root, child = FIRST + timedelta(days=day), *ids(numbers)
        run = pa.array([f"{one}:{span}" for one, span in zip(trace.to_pylist(), root.to_pylist(), strict=True)])
        common = {"day": at, "span_day": at, "run_id": run, "trace_id": trace}
        spans = [_table(RUN_SPANS, {**common, "span_id": one, "role": "span"}, DAILY) for one in (root, child)]
        by_key = [(name, "ascending") for name in RUN_SPANS.key]
        lake.overwrite(RUN_SPANS, pa.concat_tables(spans).sort_by(by_key), at)
        fixed = {
            "skill": "triage",
            "arm": "m|-|-",
            "status": "ok",
            "runtime": "gen_ai",
            "attempts": 1,
            "root_span_id": root,
        }
        fixed |= dict.fromkeys(("traces", "spans", "llm_calls", "tool_calls", "tool_errors"), 1)
        lake.overwrite(AGENT_RUNS, _table(AGENT_RUNS, {**common, **fixed}, DAILY), at)
        entry = pa.array([f"entry-{number // EACH:08d}" for number in numbers])
        weight = pa.array(np.where(numbers % 3 > 0, 0.01, -0.01))
        argued = {"entry_id": entry, "experiment_id": entry, "run_id": run, "trace_id": trace, "root_span_id": root}
        argued |= {"unit_id": run, "side": "candidate", "outcome": 1.0, "weight": weight}
        lake.append(DECISION_ARGUMENTS, _table(DECISION_ARGUMENTS, argued, DAILY), f"seq-{day}")
    entries = runs // EACH
    named = pa.array([f"entry-{number:08d}" for number in range(entries)])
    ledger = {
        "seq": pa.array(np.arange(entries) + 1),
        "entry_id": named,
        "experiment_id": named,
        "kind": "promoted",
        "alpha": 0.05,
    }
    lake.append(PROMOTION_DECISIONS, _table(PROMOTION_DECISIONS, ledger, entries), "seq-1")


def ids(numbers: np.ndarray) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Trace, root span and child span of each run."""
    return identity(numbers, 32, 1), identity(numbers, 16, 2), identity(numbers, 16, 3)


def questions(runs: int) -> Iterator[tuple[str, Callable[[Places], Answer]]]:
    """One of each kind, about the oldest, a middle and the newest run."""
    for words, number in (("oldest", 7), ("middle", runs // 2 + 7), ("newest", runs - 7)):
        trace, _, child = (one[0].as_py() for one in ids(np.array([number])))
        entry, span = f"entry-{number // EACH:08d}", f"{trace}:{child}"
        yield f"why, {words}", lambda places, entry=entry: why(places, entry)
        yield f"used-by, {words}", lambda places, span=span: used_by(places, span)


def measure(runs: int, folder: Path) -> Iterator[Row]:
    """Fill a lake, then ask."""
    places = Places(folder)
    fill(Lake(places.lake), runs)
    for words, ask in questions(runs):
        started, spent = time.perf_counter(), time.process_time()
        answer = ask(places)
        seconds, cpu = time.perf_counter() - started, time.process_time() - spent
        if not answer.result:
            message = f"{words}: no answer"
            raise RuntimeError(message)
        yield {"question": words, "runs": runs, "seconds": round(seconds, 2), "cpu": round(cpu, 2)}


def _table(table: Table, columns: Row, count: int) -> pa.Table:
    def filled(column: object, kind: pa.DataType) -> pa.Array:
        if isinstance(column, pa.Array):
            return column.cast(kind)
        return pa.repeat(pa.scalar(column, kind), count)

    empty = {TEXT: "{}", REAL: 0.0, INT: 0, TEXTS: [], DAY: FIRST, TIME: datetime(2026, 1, 1, tzinfo=UTC), FLAG: False}
    known = {**{one.name: empty[one.type] for one in table.columns if one.required}, **columns}
    return table.conform(pa.table({one.name: filled(known.get(one.name), one.type) for one in table.columns}))


def main() -> None:
    """Measure in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(given.runs, Path(folder)):
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
