"""Two processes that are told to rebuild the same day from the same inputs both succeed, and the day is there once."""

import multiprocessing
from datetime import UTC, date, datetime
from pathlib import Path

from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.example_signatures import EXAMPLE_SIGNATURES

DAYS = [date(2026, 11, 1 + number) for number in range(4)]


def write_each_day_twice(root: str, together) -> None:
    """From other inputs the second time, which gives the same rows: then only the inputs are noted."""
    lake = Lake(root)
    for turn in range(2 * len(DAYS)):
        day = DAYS[turn % len(DAYS)]
        row = {"day": day, "start_time": datetime(2026, 11, day.day, tzinfo=UTC), "scope": "", "content_hash": "h"}
        rows = EXAMPLE_SIGNATURES.rows([{**row, "example_id": str(n), "minhash": []} for n in range(3)])
        together.wait(60)
        lake.overwrite(EXAMPLE_SIGNATURES, rows, day, inputs=f"{turn + 1:015x}")


def test_the_same_day_rebuilt_twice_at_once_is_no_failure(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(2)
    both = [context.Process(target=write_each_day_twice, args=(str(tmp_path), together)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
    assert [process.exitcode for process in both] == [0, 0]
    lake = Lake(str(tmp_path))
    assert lake.days(EXAMPLE_SIGNATURES) == DAYS
    assert lake.read(EXAMPLE_SIGNATURES).num_rows == 3 * len(DAYS)
