"""Work by other processes: as by threads, and nothing of them is left over."""

import os
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from flywheel_assets.lake.processes import ProcessDiedError, processors, side_by_side

PID, DIES = "__import__('os').getpid()", "__import__('os')._exit(3)"
# Two tell who they are, and are asked for something longer.
ASKS = """
from flywheel_assets.lake.processes import side_by_side
list(side_by_side(eval, ["print(__import__('os').getpid(), file=__import__('sys').stderr, flush=True)"] * 2
    + ["__import__('time').sleep(1)"] * 2, apart=True))
"""


def computed(*given: str, apart: bool = True) -> list[object]:
    return list(side_by_side(eval, given, apart=apart))


def running(process: int) -> bool:
    """Whether there is such a process, and it is not only waiting for its parent to hear of its end."""
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize(("stated", "count"), [(None, os.cpu_count()), ("", os.cpu_count()), ("1", 1), ("12", 12)])
def test_as_many_compute_as_are_stated_else_as_there_are_processors(stated: str | None, count: int):
    assert processors(stated) == count


@pytest.mark.parametrize("stated", ["0", "-1", "two", "1.5"])
def test_a_number_of_processors_that_is_none_is_refused(stated: str):
    with pytest.raises(ValueError, match=f"FLYWHEEL_PROCESSORS is {stated}: give a whole number above 0"):
        processors(stated)


@pytest.mark.parametrize("apart", [False, True])
def test_results_come_in_the_order_given(apart: bool):
    assert computed(*(f"__import__('time').sleep({(9 - n) / 100}) or {n}" for n in range(9)), apart=apart) == [
        *range(9)
    ]


def test_each_is_computed_by_this_process_or_by_another_that_ends_afterwards():
    assert set(computed(*[PID] * 4, apart=False)) == {os.getpid()}
    others = set(computed(*[PID] * 4))
    assert os.getpid() not in others
    assert not [other for other in others if running(int(str(other)))]


@pytest.mark.parametrize("apart", [False, True])
def test_what_cannot_be_computed_raises_when_its_turn_comes(apart: bool):
    coming = side_by_side(eval, ["1", "2", "1 / 0", "4"], apart=apart)
    assert [next(coming), next(coming)] == [1, 2]
    with pytest.raises(ZeroDivisionError, match="division by zero") as raised:
        next(coming)
    assert not apart or "processes.py" in raised.value.__notes__[0]


def test_an_error_that_cannot_be_handed_over_is_told_in_words():
    with pytest.raises(RuntimeError, match="Odd: strange"):
        computed("(_ for _ in ()).throw(type('Odd', (Exception,), {})('strange'))")


def test_a_function_that_another_process_cannot_find_is_an_error(monkeypatch: pytest.MonkeyPatch):
    module = types.ModuleType("only_here")
    exec("def double(number): return 2 * number", vars(module))
    monkeypatch.setitem(sys.modules, "only_here", module)
    with pytest.raises(ModuleNotFoundError, match="only_here"):
        list(side_by_side(vars(module)["double"], [1], apart=True))


def test_what_is_printed_meanwhile_is_no_answer(capfd: pytest.CaptureFixture[str]):
    assert computed("print('loud') or 7", "8") == [7, 8]
    assert capfd.readouterr().out == ""


def test_a_process_that_dies_is_told_with_its_status():
    with pytest.raises(ProcessDiedError, match=r"ended with 3; if memory is short, set FLYWHEEL_PROCESSORS=1"):
        computed(DIES, "1", "2", "3")


def test_processes_end_with_the_one_that_started_them_even_if_it_is_killed():
    asking = subprocess.Popen([sys.executable, "-c", ASKS], stderr=subprocess.PIPE, text=True)
    with asking:
        assert asking.stderr is not None
        others = {int(asking.stderr.readline()) for _ in range(2)}
        assert all(map(running, others))
        asking.kill()
    until = time.monotonic() + 20
    while any(map(running, others)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [other for other in others if running(other)]
