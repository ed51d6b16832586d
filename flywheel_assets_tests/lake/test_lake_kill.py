"""A writer killed at any moment leaves the old day or the new one."""

import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from flywheel_assets.lake.fingerprint import fingerprint
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.example_signatures import EXAMPLE_SIGNATURES

DAY = date(2026, 1, 1)
ROWS = 200
KILLS = 8


def test_kill_9_leaves_one_whole_round_and_the_stamp_that_belongs_to_it(tmp_path: Path):
    script = str(Path(__file__).with_name("lake_writer.py"))
    lake = Lake(str(tmp_path))
    for turn in range(KILLS):
        writer = subprocess.Popen(
            [sys.executable, script, lake.root, "{}", "alternate", str(ROWS)], stdout=subprocess.PIPE, text=True
        )
        with writer:
            assert writer.stdout is not None
            finished = int(writer.stdout.readline())
            time.sleep(0.013 * turn)
            writer.kill()
            finished = max([finished, *(int(line) for line in writer.stdout if line.endswith("\n"))])
        read = lake.read(EXAMPLE_SIGNATURES)
        rounds = {int(name.split("/")[0]) for name in read.column("example_id").to_pylist()}
        assert read.num_rows == ROWS
        assert rounds in ({finished}, {finished + 1})
        assert lake.stamps(EXAMPLE_SIGNATURES, [DAY]) == {DAY: f"{rounds.pop():015x}"}
        assert lake.fingerprint(EXAMPLE_SIGNATURES, DAY) == fingerprint(read)
