"""A decision that is killed at any moment leaves the ledger as it was or as it was to be."""

import subprocess
import sys
import time
from pathlib import Path

import pyarrow.compute as pc

from flywheel_assets.decisions.ledger import verify
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS

KILLS = 6


def test_kill_9_loses_no_entry_and_doubles_none(tmp_path: Path):
    script, lake = str(Path(__file__).with_name("deciding.py")), Lake(str(tmp_path))
    entries = 0
    for turn in range(KILLS):
        decider = subprocess.Popen([sys.executable, script, lake.root], stdout=subprocess.PIPE, text=True)
        with decider:
            assert decider.stdout is not None
            assert decider.stdout.readline() == "ready\n"
            began = time.monotonic()
            assert decider.stdout.readline() == "turned\n"
            # At another point of the next turn each time, however slow the machine is.
            time.sleep((time.monotonic() - began) * turn / KILLS)
            decider.kill()
        ledger = lake.read(PROMOTION_DECISIONS)
        assert verify(ledger) == []
        assert ledger.num_rows >= entries
        # A turn's entries come together: all skills registered, or all ended and registered anew.
        assert ledger.num_rows % 3 == 0
        entries = ledger.num_rows
    assert entries > 0
    arguments = lake.read(DECISION_ARGUMENTS).column("entry_id")
    assert pc.all(pc.is_in(arguments, ledger.column("entry_id"))).as_py() in (True, None)
