"""`make bench`: the wheel from files to artifacts, beside two plain scripts, with a report.

    python flywheel_assets_tests/benchmarks/run.py --spans 50000 200000 1000000 --report docs/benchmarks.md

Every contender is a process of its own, one after the other on the same files; its time, peak memory
and result are the process's own account. Absolute figures are this machine's; the ratios are the claim.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from generate import write
from workload import FIRST_DAY

HERE = Path(__file__).parent
DAYS = 10
HISTORY_DAYS = 30
HUNDRED_RUNS = 570
MEMORY = 4 * 2**30
LOOK_EVERY = 0.1
Row = dict[str, object]


def process(*words: object) -> Row:
    """Run a script of this folder to its end: what it printed last, and its peak memory, with that of its processes."""
    child = subprocess.Popen([sys.executable, *map(str, words)], stdout=subprocess.PIPE, text=True, cwd=HERE)
    peak = 0
    with ThreadPoolExecutor(1) as pool:
        printing = pool.submit(child.stdout.read if child.stdout else str)
        while wait([printing], LOOK_EVERY).not_done:
            peak = max(peak, resident(child.pid))
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{words} ended with {child.returncode}")
    found = json.loads(printing.result().splitlines()[-1])
    return {**found, "peak": max(peak, used.ru_maxrss * 1024)}


def resident(process: int) -> int:
    """Bytes of memory that a process and all below it have now; what they share counts for each."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        below = [Path(task, "children").read_text().split() for task in Path(f"/proc/{process}/task").iterdir()]
    except OSError:
        # It, or a thread of it, has just ended.
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(resident(int(child)) for each in below for child in each)


def to_table(of: dict[str, float], steps: dict[str, float]) -> float:
    """Seconds from files to typed spans in the lake."""
    return of["ingest"] + steps["land"] + steps["decode"]


def wheel(form: str, folder: Path, count: int) -> list[Row]:
    """The wheel over the files of one form: to typed spans, to promoted artifacts, and a whole turn."""
    size = sum(file.stat().st_size for file in (folder / form).iterdir())
    found = process(HERE / "wheel.py", folder / form, folder / "wheel")
    shutil.rmtree(folder / "wheel")
    first, cpu = found["first"], found["first"]["cpu"]
    if first["failed"]:
        raise RuntimeError(str(first["failed"]))
    stored = found["raw_spans_bytes"] / count
    common = {"spans": count, "peak": found["peak"], "bytes_in": size / count, "bytes_out": stored}
    steps = {step: (seconds, cpu[step]) for step, seconds in first["steps"].items()}
    until = [
        ("typed spans in the lake", to_table(first, first["steps"]), to_table(cpu, cpu), {}),
        ("promoted artifacts", first["published"], cpu["published"], {}),
        (
            "a whole turn, with its snapshot",
            first["ingest"] + first["turn"],
            cpu["ingest"] + cpu["turn"],
            {"steps": steps},
        ),
    ]
    return [
        {**common, **more, "what": f"{form} files → {what}", "seconds": seconds, "cpu": used}
        for what, seconds, used, more in until
    ]


def compare(spans: int, folder: Path, rounds: int) -> list[Row]:
    """All contenders on the same `spans` spans, in turn and so many times: of each its quickest."""
    counts = {form: write(spans, DAYS, folder / form, form) for form in ("protobuf", "json")}
    ran = [contend(counts, folder) for _ in range(rounds)]
    rows = [min(same, key=lambda row: row["seconds"]) for same in zip(*ran, strict=True)]
    pandas = next(row for row in rows if "pandas" in row["what"])
    for row in rows:
        row["rate"] = row["spans"] / row["seconds"]
        row["ratio"] = row["rate"] * pandas["seconds"] / pandas["spans"]
    return rows


def contend(counts: dict[str, int], folder: Path) -> list[Row]:
    """One round."""
    rows = [row for form, count in counts.items() for row in wheel(form, folder, count)]
    for script in ("pandas", "duckdb"):
        plain = process(HERE / "baselines.py", script, folder / "json", folder / script)
        rows.append({**plain, "what": f"plain {script}: flatten and aggregate JSON"})
        shutil.rmtree(folder / script)
    return rows


def new_work(folder: Path, spans: int, rounds: int) -> Row:
    """A month of history is built, then a hundred runs arrive on its last day: the second turn's cost.

    Of so many times the one that was quickest in all.
    """
    write(spans, HISTORY_DAYS, folder / "month", "protobuf")
    write(HUNDRED_RUNS, 1, folder / "today", "protobuf", seed=99, first=FIRST_DAY + timedelta(days=HISTORY_DAYS - 1))
    ran: list[Row] = []
    for _ in range(rounds):
        ran.append(process(HERE / "wheel.py", folder / "month", folder / "data", folder / "today"))
        shutil.rmtree(folder / "data")
    return min(ran, key=lambda row: row["first"]["turn"] + row["second"]["turn"])


def client() -> Row:
    """Import time of the client and time of a decision, the median of several processes."""
    timed = [process(HERE / "client.py") for _ in range(7)]
    return {name: statistics.median(float(str(row[name])) for row in timed) for name in ("import_ms", "decide_us")}


def report(tables: list[list[Row]], months: list[Row], agent: Row, rounds: int) -> str:
    """The figures as a page."""
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {datetime.now(UTC).date()}, on {os.cpu_count()} cores.",
        "Telemetry is generated (`generate.py`: agents of four kinds, about 2 KB a span, over ten days);",
        f"each contender is a process of its own, one after the other, in {rounds} rounds of which its quickest",
        "counts. The ratio is to the plain pandas script on the same number of spans. CPU seconds add up over",
        "threads and processes; on a machine that does other things too they say more than the clock. The wheel",
        "takes its files over (`flywheel ingest --move`); copying them first, as it does without, takes another",
        "second for a million spans, or what the disk takes.",
        "",
        "| spans | what | seconds | CPU s | spans/s | × pandas | peak memory | bytes/span in | in the lake |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [_line(row) for rows in tables for row in rows]
    largest = next(row for row in tables[-1] if "steps" in row)
    within = "within" if largest["peak"] <= MEMORY else "more than"
    lines += [
        "",
        f"The turn over {largest['spans']:,} spans took {largest['peak'] / 2**20:,.0f} MiB at most, {within} 4 GB.",
        "Its steps over protobuf; of two at once each counts what both took of the processors:",
        "",
        "| step | seconds | CPU s |",
        "|---|---:|---:|",
    ]
    steps = sorted(largest["steps"].items(), key=lambda item: -item[1][0])
    lines += [f"| {step} | {seconds:.1f} | {cpu:.1f} |" for step, (seconds, cpu) in steps]
    lines += [
        "",
        "## Cost follows new work",
        "",
        f"{HISTORY_DAYS} days were built; a hundred runs then arrived on the last of them, and the wheel turned again.",
        "Snapshots are built in all turns where they take less than five seconds; a longer one stands for a while.",
        "",
        "| spans | first, s (its snapshot) | second, s | of the first | first, CPU s | second, CPU s | of the first |",
        "|---:|---:|---:|---:|---:|---:|---:|",
        *map(_again, months),
        "",
        "## The agent's side",
        "",
        f"Importing the client takes {agent['import_ms']:.0f} ms beyond Python's own start;",
        f"`decide()` takes {agent['decide_us']:.1f} µs.",
    ]
    return "\n".join(lines) + "\n"


def _again(month: Row) -> str:
    first, second = month["first"], month["second"]
    clock = " | ".join(f"{one['turn']:.1f} ({one['steps']['duckdb_snapshot']:.1f})" for one in (first, second))
    clock += f" | **{100 * second['turn'] / first['turn']:.1f} %**"
    first, second = first["cpu"], second["cpu"]
    used = f"{first['turn']:.1f} | {second['turn']:.1f} | {100 * second['turn'] / first['turn']:.1f} %"
    return f"| {month['spans']:,} | {clock} | {used} |"


def _line(row: Row) -> str:
    into = f"{row['bytes_in']:.0f}" if "bytes_in" in row else "–"
    out = f"{row['bytes_out']:.0f}" if "bytes_out" in row else "–"
    took = f"{row['seconds']:.1f} | {row['cpu']:.1f}"
    figures = f"{took} | {row['rate']:,.0f} | {row['ratio']:.1f} | {row['peak'] / 2**20:,.0f} MiB"
    return f"| {row['spans']:,} | {row['what']} | {figures} | {into} | {out} |"


def main() -> None:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, nargs="+", default=[50_000, 200_000, 1_000_000])
    parser.add_argument("--history", type=int, nargs="+", default=[200_000, 1_000_000], help="spans of a month")
    parser.add_argument("--rounds", type=int, default=2, help="how often each contender runs; its quickest counts")
    parser.add_argument("--report", type=Path, default=Path("docs/benchmarks.md"))
    given = parser.parse_args()
    tables = []
    for spans in given.spans:
        with tempfile.TemporaryDirectory() as folder:
            tables.append(compare(spans, Path(folder), given.rounds))
        print("\n".join(_line(row) for row in tables[-1]), flush=True)
    months = []
    for spans in given.history:
        with tempfile.TemporaryDirectory() as folder:
            months.append(new_work(Path(folder), spans, given.rounds))
        print(_again(months[-1]), flush=True)
    given.report.write_text(report(tables, months, client(), given.rounds), encoding="utf-8")
    print(f"written: {given.report}")


if __name__ == "__main__":
    main()
