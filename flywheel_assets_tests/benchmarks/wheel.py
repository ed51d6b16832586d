"""One turn of the wheel over a folder of recorded telemetry, in one process, timed.

Through the real doors: what `flywheel ingest` and `flywheel run` do, Dagster and its event log
included. Prints one JSON object.

    python flywheel_assets_tests/benchmarks/wheel.py FOLDER DATA [MORE]

With MORE, a second folder is ingested afterwards and a second turn shows what new work costs.
"""

import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path

os.environ.setdefault("FLYWHEEL_START_DAY", "2025-01-01")

from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.places import Places
from flywheel_assets.sources.ingest import ingest
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.steps import PUBLISH


def cpu_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def turned(places: Places, folder: Path) -> dict[str, object]:
    """Ingest the folder and turn once: seconds in all, until artifacts were out, and per step; and the processors'."""
    # Other contenders need the files too: the wheel takes over other names of theirs.
    history = places.data / "history" / folder.name
    shutil.copytree(folder, history, copy_function=os.link)
    steps: dict[str, float] = {}
    cpu: dict[str, float] = {}
    running: dict[str, tuple[float, float]] = {}
    published = dict.fromkeys(("seconds", "cpu"), 0.0)

    def note(step: str, state: str) -> None:
        now, used = time.perf_counter(), cpu_seconds()
        if state == "started":
            running[step] = now, used
        else:
            then, before = running.get(step, (now, used))
            steps[step], cpu[step] = round(now - then, 3), round(used - before, 3)
        if step == PUBLISH.name:
            published.update(seconds=now - started, cpu=used - begun)

    # The files were written a moment ago: what the disk still owes is not the wheel's.
    os.sync()
    started, begun = time.perf_counter(), cpu_seconds()
    ingest(history, places.inbox, move=True)
    brought, fetched = time.perf_counter(), cpu_seconds()
    turn = turn_the_wheel(places, note)
    cpu |= {"ingest": round(fetched - begun, 3), "turn": round(cpu_seconds() - fetched, 3)}
    cpu |= {"published": round(published["cpu"], 3)}
    return {
        "published": round(published["seconds"], 3),
        "ingest": round(brought - started, 3),
        "turn": round(time.perf_counter() - brought, 3),
        "steps": steps,
        "cpu": cpu,
        "failed": turn.failed,
        "red": turn.red,
    }


def size(folder: Path) -> int:
    """Bytes below the folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main(folder: Path, data: Path, more: Path | None = None) -> None:
    """Turn once, or twice, and print what it took."""
    from flywheel_assets.lake.lake import Lake

    places = Places(data)
    first = turned(places, folder)
    lake = Lake(places.lake)
    opened = lake.open(RAW_SPANS)
    spans = opened.count() if opened else 0
    result: dict[str, object] = {
        "spans": spans,
        "first": first,
        "raw_spans_bytes": size(data / "lake" / RAW_SPANS.name),
        "lake_bytes": size(data / "lake"),
    }
    if more is not None:
        result["second"] = turned(places, more)
    print(json.dumps(result))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
