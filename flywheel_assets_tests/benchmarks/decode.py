"""Decoding alone: export requests in memory → `raw_spans` → the lake, beside a plain pandas script.

    python flywheel_assets_tests/benchmarks/decode.py 100000

Each contender runs in its own process, in turn, several times; the best of each counts, so that a
busy machine disturbs the ratios little. Prints one JSON object a line, ratios last.
"""

import argparse
import json
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from flywheel_assets.lake.lake import Lake
from flywheel_assets.spans.decode import decode_day
from flywheel_assets.spans.payloads import Wire
from flywheel_assets.tables.raw_spans import RAW_SPANS

# The other scripts of this folder are found beside this one when it is run.
sys.path.insert(0, str(Path(__file__).parent))


def batches(folder: Path) -> Iterator[Wire]:
    """The export requests of the generated files, read anew each time."""
    for file in sorted(folder.iterdir()):
        data = file.read_bytes()
        if file.suffix == ".jsonl":
            yield from (Wire(f"{file.name}:{n}", line, "json") for n, line in enumerate(data.splitlines()))
            continue
        start = 0
        while start < len(data):
            (length,) = struct.unpack_from(">I", data, start)
            payload = data[start + 4 : start + 4 + length]
            yield Wire(f"{file.name}:{start}", payload)
            start += 4 + length


def run_wheel(folder: Path, out: Path, days: int) -> dict[str, object]:
    """Decode the files, all of them for each day, into a lake."""
    from workload import FIRST_DAY

    lake, spans, started, used = Lake(str(out)), 0, time.perf_counter(), time.process_time()
    for number in range(days):
        day = FIRST_DAY + timedelta(days=number)
        found = decode_day(lambda: batches(folder), day)
        spans += lake.overwrite(RAW_SPANS, found.parts, day, content=found.content).rows
    return measured(spans, started, used)


def run_pandas(folder: Path, out: Path, _days: int) -> dict[str, object]:
    """The plain script, which takes JSON only."""
    from baselines import with_pandas

    out.mkdir(parents=True)
    started, used = time.perf_counter(), time.process_time()
    return measured(with_pandas(folder, out), started, used)


def measured(spans: int, started: float, used: float) -> dict[str, object]:
    """What a run took since the two clocks were read."""
    seconds = time.perf_counter() - started
    return {
        "spans": spans,
        "seconds": round(seconds, 2),
        "spans_per_second": round(spans / seconds),
        "cpu_us_per_span": round((time.process_time() - used) / spans * 1e6, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def contest(spans: int, days: int, repeats: int, folder: Path) -> None:
    """Generate, let the three run in turn, and print the best of each and the ratios."""
    from generate import write

    best: dict[str, dict[str, object]] = {}
    for form in ("protobuf", "json"):
        write(spans, days, folder / form, form)
    for turn in range(repeats):
        for name, form in (("protobuf", "protobuf"), ("json", "json"), ("pandas", "json")):
            command = [sys.executable, __file__, "--one", name, "--days", str(days), str(folder / form)]
            done = subprocess.run([*command, str(folder / f"{name}-{turn}")], capture_output=True, check=True)
            found = json.loads(done.stdout)
            if name not in best or found["spans_per_second"] > best[name]["spans_per_second"]:
                best[name] = found
    for name, found in best.items():
        print(json.dumps({"contender": name, **found}))
    speed = {name: int(str(found["spans_per_second"])) for name, found in best.items()}
    print(json.dumps({f"{name} / pandas": round(speed[name] / speed["pandas"], 2) for name in ("protobuf", "json")}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", help="how many spans; with --one: a folder and where to write")
    parser.add_argument("--one", choices=("protobuf", "json", "pandas"))
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    if chosen.one:
        run = run_pandas if chosen.one == "pandas" else run_wheel
        print(json.dumps(run(Path(chosen.what[0]), Path(chosen.what[1]), chosen.days)))
    else:
        with tempfile.TemporaryDirectory() as place:
            contest(int(chosen.what[0]), chosen.days, chosen.repeats, Path(place))
