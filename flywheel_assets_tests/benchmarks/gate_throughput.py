"""Examples that the gates judge a second, as a day of them grows."""

import time
from collections.abc import Sequence
from datetime import timedelta
from functools import cache

import numpy as np
import numpy.typing as npt

from flywheel_assets.lake.session import connection
from flywheel_assets.observations.admit import admit, sign
from flywheel_assets.observations.sources import tally
from flywheel_assets.tables.example_signatures import EXAMPLE_SIGNATURES
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.run_spans import RUN_SPANS
from flywheel_assets.tables.source_findings import SOURCE_FINDINGS
from flywheel_assets.tables.statements import GATE_SETTINGS
from flywheel_assets_tests.benchmarks.poisoning import DAY, NOON, Row

CHUNK = 10_000
# Words of a request and of an answer, out of so many different ones.
ASKED, ANSWERED, WORDS = 60, 40, 4000
SYLLABLES = ("ba", "co", "di", "fer", "gan", "ho", "in", "jo", "ka", "lu", "men", "or", "pa", "ter")


def section(sizes: Sequence[int], days: int) -> list[str]:
    """The table of the page."""
    names = ["examples", "seconds", "CPU s", "examples / s", "examples / CPU s"]
    lines = [f"| {' | '.join(names)} |", "| ---: | ---: | ---: | ---: | ---: |"]
    for size, count in [*((size, 1) for size in sizes), (max(sizes), days)]:
        took = [judged(size, seed) for seed in range(count)]
        seconds, cpu = (sum(each) for each in zip(*took, strict=True))
        whole, each = size * count, f" ({count} days)" if count > 1 else ""
        lines.append(f"| {whole:,}{each} | {seconds:.1f} | {cpu:.1f} | {whole / seconds:,.0f} | {whole / cpu:,.0f} |")
    return lines


@cache
def judged(size: int, seed: int = 0) -> tuple[float, float]:
    """Seconds, and seconds of the processor, to sign, tally and admit so many examples of a day."""
    rng = np.random.default_rng([size, seed])
    lengths = rng.integers(1, 5, WORDS)
    words = np.array(["".join(rng.choice(SYLLABLES, length)) for length in lengths], object)
    con = connection()
    for start in range(0, size, CHUNK):
        part = LABELED_EXAMPLES.rows(_examples(range(start, min(start + CHUNK, size)), rng, words))
        con.register("part", part)
        con.execute(("INSERT INTO labeled_examples" if start else "CREATE TABLE labeled_examples AS") + " FROM part")
    for table in (RAW_SPANS, LANDED_BATCHES, FEEDBACK, GATE_SETTINGS, SOURCE_FINDINGS, RUN_SPANS):
        con.register(table.name, table.empty())
    started, used = time.perf_counter(), time.process_time()
    con.register(EXAMPLE_SIGNATURES.name, sign(con, DAY)[0])
    tally(con, DAY)
    verdicts, gated, refused = admit(con, DAY)
    took = time.perf_counter() - started, time.process_time() - used
    if gated.num_rows + refused.num_rows != size or not verdicts.num_rows:
        message = f"{size} examples went in, {gated.num_rows} + {refused.num_rows} came out"
        raise RuntimeError(message)
    return took


def _examples(numbers: range, rng: np.random.Generator, words: npt.NDArray[np.object_]) -> list[Row]:
    said = words[rng.integers(0, len(words), (len(numbers), ASKED + ANSWERED))].tolist()
    costs, good = rng.lognormal(-5, 0.5, len(numbers)).tolist(), (rng.random(len(numbers)) < 0.6).tolist()
    return [
        {
            "day": DAY, "run_id": f"run-{number:07d}", "example_id": f"run-{number:07d}", "grain": "run",
            "trace_id": f"run-{number:07d}", "root_span_id": "root", "runtime": "gen_ai",
            "start_time": NOON + timedelta(milliseconds=number), "skill": f"skill {number % 20}",
            "arm": f"model {number % 3}|-|-", "model": f"model {number % 3}", "status": "ok",
            "session_id": f"session {number // 5}", "input_text": " ".join(text[:ASKED]),
            "output_text": " ".join(text[ASKED:]), "cost_usd": cost, "duration_ns": 10**9, "outcome": float(went),
            "outcome_state": "labeled", "confidence": 0.9, "weight": 0.8, "tier": "check", "labelers": ["unit_test"],
            "votes": 1, "dissent": 0,
        }
        for number, text, cost, went in zip(numbers, said, costs, good, strict=True)
    ]  # fmt: skip
