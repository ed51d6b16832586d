"""Steps side by side: two at a time, what artifacts do not wait for last, failures and interrupts as elsewhere."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence

import dagster as dg
import pytest

from flywheel_assets.defs.graph import ASIDE
from flywheel_assets.defs.side_by_side import execute

MOST = 20.0


def step(
    name: str, body: Callable[[], object], deps: Sequence[str] = (), tags: dict[str, str] | None = None, tries: int = 0
) -> dg.AssetsDefinition:
    @dg.asset(name=name, deps=list(deps), op_tags=tags, retry_policy=dg.RetryPolicy(max_retries=tries))
    def made() -> None:
        body()

    return made


def executed(*assets: dg.AssetsDefinition) -> tuple[bool, list[str], list[str]]:
    """Whether all went well; the steps in the order of their ends; those that failed."""
    defs = dg.Definitions(assets=list(assets), jobs=[dg.define_asset_job("all_of_them")])
    with dg.instance_for_test() as instance:
        result = execute(defs.resolve_job_def("all_of_them"), instance, {"why": "test"})
        run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["why"] == "test"
    assert run.is_finished
    ended = [str(event.step_key) for event in result.all_events if event.is_step_success]
    return result.success, ended, [str(event.step_key) for event in result.all_events if event.is_step_failure]


def raising() -> None:
    message = "no luck"
    raise ValueError(message)


def test_two_steps_are_under_way_at_once() -> None:
    meeting = threading.Barrier(2, timeout=MOST)
    assert executed(step("one", meeting.wait), step("other", meeting.wait))[0]


def test_a_step_follows_what_it_depends_on_and_what_artifacts_do_not_wait_for_is_last() -> None:
    steps = [
        step("aside", lambda: None, tags=ASIDE),
        step("second", lambda: time.sleep(0.1), ["first"]),
        step("first", lambda: time.sleep(0.1)),
    ]
    assert executed(*steps) == (True, ["first", "second", "aside"], [])


def test_what_depends_on_a_failure_is_not_executed_and_the_rest_is() -> None:
    steps = [step("fails", raising), step("after", lambda: None, ["fails"]), step("beside", lambda: None)]
    assert executed(*steps) == (False, ["beside"], ["fails"])


def test_a_step_is_tried_again() -> None:
    tries = [raising, int]

    def lucky() -> None:
        tries.pop(0)()

    assert executed(step("tried", lucky, tries=1)) == (True, ["tried"], [])
    assert not tries


def test_an_interrupt_ends_steps_and_run() -> None:
    def wait() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(int(MOST / 0.01)):
            time.sleep(0.01)
        pytest.fail("the step was not interrupted")

    assert executed(step("waits", wait), step("after", lambda: None, ["waits"])) == (False, [], [])
