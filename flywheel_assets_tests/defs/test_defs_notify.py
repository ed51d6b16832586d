"""What people are told, over HTTP to a real server: of a failed run, and once of a check that turned red."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagster as dg
import pytest

from flywheel_assets.defs.assembly import NOTIFIERS, assemble
from flywheel_assets.defs.notify import ADDRESS, newly_red, tell_of_failures, tell_of_red_checks
from flywheel_assets.defs.resources import WheelResource


class Webhook(ThreadingHTTPServer):
    """Keeps what is posted; answers with `status`."""

    def __init__(self) -> None:
        self.told: list[dict[str, str]] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), Takes)


class Takes(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        assert self.headers["content-type"] == "application/json"
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv(ADDRESS, f"http://127.0.0.1:{server.server_port}/hook")
        yield server
        server.shutdown()
        thread.join()


@dg.op
def breaks() -> None:
    raise ValueError("the disk is full")


@dg.job(name="turn")
def broken() -> None:
    breaks()


def failed(instance: dg.DagsterInstance) -> dg.RunFailureSensorContext:
    result = broken.execute_in_process(instance=instance, raise_on_error=False)
    return dg.build_run_status_sensor_context(
        sensor_name="tell_of_failures",
        dagster_event=result.get_run_failure_event(),
        dagster_instance=instance,
        dagster_run=result.dagster_run,
    ).for_run_failure()


def test_a_failed_run_is_told_of_with_its_step_and_error(webhook: Webhook, instance: dg.DagsterInstance) -> None:
    skip = tell_of_failures(failed(instance))
    (told,) = webhook.told
    assert told["text"].startswith("turn failed, run ")
    assert "• breaks: ValueError: the disk is full" in told["text"]
    assert skip.skip_message == f"told: {told['text']}"


def test_a_webhook_that_refuses_fails_the_tick(webhook: Webhook, instance: dg.DagsterInstance) -> None:
    webhook.status = 500
    with pytest.raises(OSError, match="500"):
        tell_of_failures(failed(instance))


def test_without_an_address_nobody_is_told_and_the_tick_says_so(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ADDRESS, raising=False)
    assert f"{ADDRESS} is not set" in tell_of_failures(failed(instance)).skip_message
    assert {sensor.default_status for sensor in NOTIFIERS} == {dg.DefaultSensorStatus.STOPPED}
    defined = assemble(WheelResource()).sensors or ()
    assert {sensor.name for sensor in NOTIFIERS} <= {sensor.name for sensor in defined}


def checked(instance: dg.DagsterInstance, *, passed: bool) -> dg.RunStatusSensorContext:
    @dg.asset
    def runs() -> None: ...

    @dg.asset_check(asset=runs)
    def holds() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=passed)

    result = dg.materialize([runs, holds], instance=instance)
    return dg.build_run_status_sensor_context(
        sensor_name="tell_of_red_checks",
        dagster_event=result.get_run_success_event(),
        dagster_instance=instance,
        dagster_run=instance.get_run_by_id(result.run_id),
    )


def test_a_check_is_told_of_when_it_turns_red_and_not_while_it_stays_so(
    webhook: Webhook, instance: dg.DagsterInstance
) -> None:
    said = [tell_of_red_checks(checked(instance, passed=passed)) for passed in (True, False, False, True, False)]
    assert [one["text"] for one in webhook.told] == ["1 checks turned red\n• runs: holds"] * 2
    assert [one.skip_message.startswith("told") for one in said] == [False, True, False, False, True]
    assert "turned no check red" in said[0].skip_message


def test_a_check_that_is_red_at_its_first_time_is_news(instance: dg.DagsterInstance) -> None:
    assert newly_red(instance, checked(instance, passed=False).dagster_run.run_id) == ["runs: holds"]
