"""Telling people: a failed run, and a check that turned red, as a message to a webhook.

Off unless FLYWHEEL_NOTIFY_URL names one. The body is `{"text": …}`, which Slack, Mattermost, Discord (with
`/slack` behind its address) and most relays take.
"""

import json
import os
import urllib.request

import dagster as dg

ADDRESS = "FLYWHEEL_NOTIFY_URL"
SECONDS = 10.0
LONGEST = 1500
STATUS = dg.DefaultSensorStatus.RUNNING if os.environ.get(ADDRESS) else dg.DefaultSensorStatus.STOPPED


@dg.run_failure_sensor(
    default_status=STATUS,
    minimum_interval_seconds=30,
    description=f"Posts to {ADDRESS} when a run failed, with the steps and their errors. Runs where it is set.",
)
def tell_of_failures(context: dg.RunFailureSensorContext) -> dg.SkipReason:
    """A post that does not arrive fails the tick, which is tried again."""
    return posted(failure_message(context))


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    default_status=STATUS,
    minimum_interval_seconds=30,
    description=f"Posts to {ADDRESS} when a check is red that was green before. Runs where it is set.",
)
def tell_of_red_checks(context: dg.RunStatusSensorContext) -> dg.SkipReason:
    """A check that stays red is told of once."""
    red = newly_red(context.instance, context.dagster_run.run_id)
    if not red:
        return dg.SkipReason(f"run {context.dagster_run.run_id[:8]} turned no check red")
    return posted("\n".join([f"{len(red)} checks turned red", *(f"• {one}" for one in red)]))


def failure_message(context: dg.RunFailureSensorContext) -> str:
    """The job, the run, and what each failed step said."""
    run = context.dagster_run
    said = [
        f"• {event.step_key}: {(error.cause or error).message.strip()}"
        for event in context.get_step_failure_events()
        if (error := event.step_failure_data.error)
    ]
    return "\n".join([f"{run.job_name} failed, run {run.run_id[:8]}: {context.failure_event.message}", *said])


def newly_red(dagster: dg.DagsterInstance, run_id: str) -> list[str]:
    """'<asset>: <check>' of every check that failed in the run and had passed, or not been made, before."""
    records = dagster.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    said = [entry.event_log_entry.asset_check_evaluation for entry in records]
    failed = [one.asset_check_key for one in said if one and not one.passed]
    return [f"{key.asset_key.to_user_string()}: {key.name}" for key in failed if not _was_red(dagster, key, run_id)]


def _was_red(dagster: dg.DagsterInstance, key: dg.AssetCheckKey, run_id: str) -> bool:
    records = dagster.event_log_storage.get_asset_check_execution_history(key, limit=20)
    earlier = [record for record in records if record.run_id != run_id]
    # Newest first: what comes before the run's own, or, were later ones made meanwhile, the newest of all.
    said = [one.evaluation for one in earlier if isinstance(one.evaluation, dg.AssetCheckEvaluation)]
    return bool(said) and not said[0].passed


def posted(text: str) -> dg.SkipReason:
    """Post it; what was said, as the tick's message. Raises OSError where the address does not take it."""
    address = os.environ.get(ADDRESS, "")
    if not address.startswith(("https://", "http://")):
        return dg.SkipReason(f"{ADDRESS} is not set, so nobody was told: {text[:LONGEST]}")
    body = json.dumps({"text": text[:LONGEST]}).encode()
    request = urllib.request.Request(address, body, {"content-type": "application/json"})  # noqa: S310 - looked at
    with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
        return dg.SkipReason(f"told: {text[:LONGEST]}")
