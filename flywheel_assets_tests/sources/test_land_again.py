"""Landing, repeated: killed anywhere, run twice at once, in steps, on an index that grows."""

import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_assets.lake.lake import Lake
from flywheel_assets.sources.batches import read_batches
from flywheel_assets.sources.spool import Spool
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.span_rejections import SPAN_REJECTIONS

DAY = date(2026, 11, 18)


def test_a_landing_killed_before_its_set_aside_spans_is_completed_by_the_next(place, payloads, monkeypatch) -> None:
    (place.inbox / "a.binpb").write_bytes(payloads.frames(payloads.protobuf(0, start=5)))
    really = Lake.append

    def killed(self: Lake, table, data, key):
        if table is SPAN_REJECTIONS:
            raise KeyboardInterrupt
        return really(self, table, data, key)

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            place.land()
    place.land()
    assert len(place.lake.read(SPAN_REJECTIONS)) == 2
    assert len(place.lake.read(LANDED_BATCHES)) == 1


def test_the_index_stays_in_few_files_however_many_landings_wrote_it(place, payloads, monkeypatch) -> None:
    monkeypatch.setattr("flywheel_assets.sources.land.INDEX_FILES", 3)
    file = place.inbox / "traces.jsonl"
    for number in range(9):
        with file.open("ab") as writer:
            writer.write(payloads.lines(payloads.json(number)))
        assert place.land().accepted == 1
    assert len(place.lake.files(LANDED_BATCHES)) <= 3
    assert sorted(place.rows("ordinal")) == [(number,) for number in range(9)]
    assert place.land().accepted == 0


LAND = """
import sys, pathlib, datetime
from flywheel_assets.lake.lake import Lake
from flywheel_assets.sources import land as module
module.PASS_BATCHES = 20
root = pathlib.Path(sys.argv[1])
print("ready", flush=True)
now = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
module.land(Lake(str(root / "lake")), root / "inbox", root / "landing", now)
"""


def start_landing(root: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen([sys.executable, "-c", LAND, str(root)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()
    return child


@pytest.mark.parametrize("delay", [0.0, 0.03, 0.1, 0.2, 0.4])
def test_a_landing_that_is_killed_anywhere_is_taken_up_by_the_next(
    place, payloads, tmp_path: Path, delay: float
) -> None:
    fill(place, payloads)
    child = start_landing(tmp_path)
    time.sleep(delay)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    place.land()
    assert_each_once(place)


def test_two_landings_at_once_give_each_batch_once(place, payloads, tmp_path: Path) -> None:
    fill(place, payloads)
    children = [start_landing(tmp_path) for _ in range(2)]
    for child in children:
        child.communicate()
        assert child.returncode == 0
    assert_each_once(place)


def fill(place, payloads) -> None:
    # Every fifth batch has spans to set aside; a segment of our own is among the files.
    spool = Spool(place.inbox)
    for number in range(40):
        spool.append(
            payloads.protobuf(number, start=5 if number % 5 == 0 else 1_795_000_000 * 10**9), "protobuf", "otlp"
        )
    spool.close()
    for file in range(3):
        batches = [payloads.json(1000 * file + number) for number in range(40)]
        (place.inbox / f"{file}.jsonl").write_bytes(payloads.lines(*batches))


def assert_each_once(place) -> None:
    rows = place.rows("file", "ordinal", "status")
    assert len(rows) == len({row[:2] for row in rows}) == 160
    assert {row[2] for row in rows} == {"accepted"}
    aside = place.lake.read(SPAN_REJECTIONS).to_pylist()
    assert len(aside) == len({(row["batch_id"], row["position"]) for row in aside}) == 16
    assert sum(1 for _ in read_batches(place.lake, place.landing, DAY)) == 152
    again = place.land()
    assert (again.accepted, again.duplicates, again.rejected) == (0, 0, 0)


@settings(max_examples=25, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 5), min_size=1, max_size=8),
    cuts=st.lists(st.integers(0, 1500), max_size=3),
    form=st.sampled_from(["frames", "lines"]),
)
def test_landing_in_any_number_of_steps_gives_the_same_index(
    new_place, payloads, numbers: list[int], cuts: list[int], form: str
) -> None:
    spans = [payloads.protobuf(number) if form == "frames" else payloads.json(number) for number in numbers]
    data = payloads.frames(*spans) if form == "frames" else payloads.lines(*spans)
    place = new_place()
    file = place.inbox / "traces"
    file.touch()
    for end in [*sorted(cuts), len(data)]:
        with file.open("r+b") as writer:
            writer.write(data[:end])
        place.land()
    rows = sorted(place.rows("ordinal", "offset", "length", "status"))
    assert [row[0] for row in rows] == list(range(len(numbers)))
    assert [data[offset : offset + length] for _, offset, length, _ in rows] == spans
    assert [row[3] == "accepted" for row in rows] == [numbers.index(n) == i for i, n in enumerate(numbers)]
