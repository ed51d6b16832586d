"""The judge in its turn: `flywheel judge` every hour, within its budget, where a model is configured.

The command is run as a command. Its words go into the inbox like anybody's, and the budget of calls a day,
what has been judged before, and what is taken out of texts are the command's own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import dagster as dg

from flywheel_assets.defs.resources import WheelResource

# Longer than the command's own patience with a model that does not answer.
LIMIT_SECONDS = 1800
UNAVAILABLE = 1


@dg.op(description="Asks the model of FLYWHEEL_JUDGE_MODEL about a random sample of recent runs.")
def ask_judge(context: dg.OpExecutionContext, wheel: WheelResource) -> None:
    """Says what it was told in its output's metadata; a model that cannot be reached is no failure of the wheel."""
    words = [sys.executable, "-m", "flywheel_assets.cli", "judge", "--data", wheel.data, "--json"]
    words += ["--lake", wheel.lake_url] if wheel.lake_url else []
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)  # noqa: S603 - its own command
    if done.returncode not in (0, UNAVAILABLE):
        raise dg.Failure(f"flywheel judge ended with {done.returncode}: {done.stdout or done.stderr}")
    told = json.loads(done.stdout)["result"]
    if done.returncode == UNAVAILABLE:
        context.log.warning("the model did not answer every time: %s", told)
    context.add_output_metadata(told)


@dg.job(description="Has the configured model judge recent runs; its words are feedback of the tier `judge`.")
def judging() -> None:
    """One op: nothing of it is an asset."""
    ask_judge()


@dg.schedule(
    job=judging,
    cron_schedule="40 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every hour, where FLYWHEEL_JUDGE_MODEL is set: the judge, up to FLYWHEEL_JUDGE_BUDGET calls a day.",
)
def hourly_judging(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Without a model nobody judges."""
    if not os.environ.get("FLYWHEEL_JUDGE_MODEL"):
        yield dg.SkipReason("no judge is configured: FLYWHEEL_JUDGE_MODEL is not set")
        return
    yield dg.RunRequest(run_key=f"{context.scheduled_execution_time:%Y-%m-%dT%H}")
