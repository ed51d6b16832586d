"""Sensors, tick by tick: each acts when it should, once, and says why it does not."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from flywheel_assets.defs.approvals import answer, ask_rollback
from flywheel_assets.defs.progress import ADMITTED
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.schedules import daily_turn
from flywheel_assets.defs.sensors import ENOUGH, enough_new_runs, harm_seen, inbox, left_stale, people_said
from flywheel_assets.lake.places import Places
from flywheel_assets.sources.land import land
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets_tests.decisions.conftest import CANDIDATE, INCUMBENT, World


def tick(sensor: dg.SensorDefinition, wheel: WheelResource, instance: dg.DagsterInstance, cursor: str | None = None):
    return sensor(dg.build_sensor_context(instance, cursor=cursor), wheel=wheel)


def test_the_inbox_asks_when_bytes_are_new_or_grew_and_not_twice(
    tmp_path, instance: dg.DagsterInstance, arrive
) -> None:
    wheel = WheelResource(data=str(tmp_path))
    day = datetime.now(UTC).date()
    empty = tick(inbox, wheel, instance)
    arrive(wheel.places(), day, 1)
    new = tick(inbox, wheel, instance, empty.cursor)
    same = tick(inbox, wheel, instance, new.cursor)
    file = next(wheel.places().inbox.iterdir())
    file.write_text(file.read_text() * 2)
    grown = tick(inbox, wheel, instance, same.cursor)
    assert "nothing new among 0 files" in empty.skip_reason.skip_message
    assert "nothing new among 1 files" in same.skip_reason.skip_message
    assert [len(found.run_requests) for found in (empty, new, same, grown)] == [0, 1, 0, 1]
    assert new.run_requests[0].run_key != grown.run_requests[0].run_key
    assert new.run_requests[0].tags["flywheel/only_stale"] == "true"


def test_the_inbox_asks_again_once_for_a_run_that_never_began(tmp_path, instance: dg.DagsterInstance, arrive) -> None:
    wheel = WheelResource(data=str(tmp_path))
    arrive(wheel.places(), datetime.now(UTC).date(), 1)
    cursor = tick(inbox, wheel, instance).cursor
    tags = {"dagster/sensor_name": "inbox"}
    lost = instance.create_run_for_job(_job(), status=dg.DagsterRunStatus.FAILURE, tags=tags)
    again = [tick(inbox, wheel, instance, cursor).run_requests for _ in range(2)]
    assert [[request.run_key for request in found] for found in again] == [[f"inbox/again/{lost.run_id}"]] * 2
    instance.create_run_for_job(_job(), status=dg.DagsterRunStatus.SUCCESS, tags=tags)
    assert "nothing new" in tick(inbox, wheel, instance, cursor).skip_reason.skip_message


def test_a_file_that_is_still_being_written_is_not_seen(tmp_path, instance: dg.DagsterInstance) -> None:
    wheel = WheelResource(data=str(tmp_path))
    wheel.places().inbox.mkdir()
    (wheel.places().inbox / ".half.jsonl").write_text("{")
    assert tick(inbox, wheel, instance).skip_reason is not None


def test_days_left_stale_are_asked_for_under_a_key_of_their_content(
    wheel: WheelResource, instance: dg.DagsterInstance, arrive
) -> None:
    fresh = tick(left_stale, wheel, instance)
    arrive(wheel.places(), datetime.now(UTC).date() - timedelta(days=40), 2)
    land(wheel.lake(), wheel.places().inbox, wheel.places().landing, datetime.now(UTC))
    stale, again = tick(left_stale, wheel, instance), tick(left_stale, wheel, instance)
    assert "every day was built" in fresh.skip_reason.skip_message
    assert [request.run_key for request in stale.run_requests] == [request.run_key for request in again.run_requests]
    assert len(stale.run_requests) == 1


def test_stale_days_wait_while_a_run_is_under_way(wheel: WheelResource, instance: dg.DagsterInstance) -> None:
    instance.create_run_for_job(_job(), status=dg.DagsterRunStatus.STARTED)
    assert "under way" in tick(left_stale, wheel, instance).skip_reason.skip_message


def test_decisions_are_asked_for_once_when_a_person_said_something(tmp_path, instance: dg.DagsterInstance) -> None:
    wheel = WheelResource(data=str(tmp_path))
    places, asked = wheel.places(), list[str]()
    assert "no skills.yaml" in tick(people_said, wheel, instance).skip_reason.skip_message
    cursor = None
    for words in ("stated", "priced", "answered", "asked", "wrote"):
        {
            "stated": lambda: places.skills_file.write_text("skills: {triage: {baseline_model: small}}"),
            "priced": lambda: places.prices_file.write_text("prices: [{model: small, from: 2026-01-01, input: 1}]"),
            "answered": lambda: answer(places, "exp-1", approved=True, by="ann", at=datetime.now(UTC)),
            "asked": lambda: ask_rollback(places, "exp-1", by="ann", at=datetime.now(UTC)),
            "wrote": lambda: [places.prompts.mkdir(), (places.prompts / "brief.md").write_text("Be brief.")],
        }[words]()
        found = tick(people_said, wheel, instance, cursor)
        cursor = found.cursor
        asked += [str(request.run_key) for request in found.run_requests]
        assert "nothing new" in tick(people_said, wheel, instance, cursor).skip_reason.skip_message
    assert len(set(asked)) == 5


def test_decisions_are_asked_for_when_enough_runs_were_admitted_since_the_last(
    turned: Places, instance: dg.DagsterInstance
) -> None:
    wheel = WheelResource(data=str(turned.data))
    few = tick(enough_new_runs, wheel, instance)
    assert f"{ENOUGH} are enough" in few.skip_reason.skip_message
    instance.report_runless_asset_event(dg.AssetMaterialization("promotion_decisions", metadata={ADMITTED: -20}))
    many = tick(enough_new_runs, wheel, instance)
    assert [request.run_key for request in many.run_requests] == ["admitted/-20/90"]


def test_harm_is_acted_on_at_the_next_tick_however_few_runs_have_come(tmp_path, instance: dg.DagsterInstance) -> None:
    wheel, world = WheelResource(data=str(tmp_path)), World()
    wheel.places().skills_file.write_text("skills: {triage: {baseline_model: old, models: [new, other]}}")

    def keep() -> None:
        for day in sorted({row["day"] for row in world.runs}):
            rows = [row for row in world.runs if row["day"] == day]
            wheel.lake().overwrite(GATED_OBSERVATIONS, GATED_OBSERVATIONS.rows(rows), day)

    world.turn()
    world.draw(250, {INCUMBENT: 0.3, CANDIDATE: 0.9})
    world.turn()
    assert world.last()["kind"] == "promoted"
    wheel.lake().append(PROMOTION_DECISIONS, world.ledger, "seq-1")
    world.draw(200, {INCUMBENT: 0.5, CANDIDATE: 0.9})
    keep()
    sound = tick(harm_seen, wheel, instance)
    assert "nothing is to be undone or ended" in sound.skip_reason.skip_message
    assert "no run was admitted" in tick(harm_seen, wheel, instance, sound.cursor).skip_reason.skip_message
    world.draw(1500, {INCUMBENT: 0.5, CANDIDATE: 0.05})
    keep()
    harmful = tick(harm_seen, wheel, instance, sound.cursor)
    assert [request.run_key.split("/")[0] for request in harmful.run_requests] == ["harm"]
    assert "no run was admitted" in tick(harm_seen, wheel, instance, harmful.cursor).skip_reason.skip_message


def test_the_daily_turn_asks_once_a_day() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 3, 4, 0, 15, tzinfo=UTC))
    assert [request.run_key for request in daily_turn(context)] == ["2026-03-04"]


def _job() -> dg.JobDefinition:
    @dg.job
    def busy() -> None: ...

    return busy
