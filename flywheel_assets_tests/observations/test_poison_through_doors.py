"""A service that turns outcomes round, from the receiver's doors to the scores: found out, and held since it began."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import httpx
import pytest
import yaml

from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.receiver.settings import ReceiverSettings
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS, REJECTIONS
from flywheel_assets.tables.skill_scores import SKILL_SCORES
from flywheel_assets.tables.source_findings import SOURCE_FINDINGS
from flywheel_assets_tests.conftest import attribute
from flywheel_assets_tests.receiver.conftest import Receiver, started

TODAY = datetime.now(UTC).date()
DAYS = [TODAY - timedelta(days=back) for back in (6, 5, 4, 3, 2)]
LONG_AGO = TODAY - timedelta(days=32)
SERVICES, BAD, HARDER = ("north", "south", "harder", "west"), "west", "harder"
RATES = {"provider/large": 0.9, "provider/small": 0.5}
# What the bad one says of the better arm: near enough for a day.
SAID = 0.55
EACH, BACKDATED = 40, 5


class Run(NamedTuple):
    """One run, and what its service says of it."""

    day: date
    service: str
    model: str
    number: int
    good: bool

    @property
    def trace(self) -> str:
        return f"{self.day:%Y%m%d}{SERVICES.index(self.service)}{list(RATES).index(self.model)}{self.number:022x}"


def runs(day: date, each: int = EACH) -> list[Run]:
    """Of every service and arm, at their rates exactly; `harder` succeeds less at everything."""
    found: list[Run] = []
    for service in SERVICES:
        for model, rate in RATES.items():
            told = SAID if (service, model) == (BAD, "provider/large") else rate - 0.1 * (service == HARDER)
            found += [Run(day, service, model, number, number < round(each * told)) for number in range(each)]
    return found


def sent_spans(told: list[Run]) -> Iterator[Mapping[str, object]]:
    """One request of each service."""
    for service in SERVICES:
        spans = [_span(run) for run in told if run.service == service]
        resource = {"attributes": [attribute("service.name", service)]}
        yield {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}


def _span(run: Run) -> dict[str, object]:
    start = int(datetime(run.day.year, run.day.month, run.day.day, 9, tzinfo=UTC).timestamp() + run.number) * 10**9
    attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "support",
        "gen_ai.request.model": run.model,
        "gen_ai.conversation.id": f"session {run.trace}",
        "flywheel.skill.name": "triage",
    }
    return {
        "traceId": run.trace,
        "spanId": "00000000000000a1",
        "name": "invoke_agent support",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 10**9),
        "attributes": [attribute(*item) for item in attributes.items()],
        "status": {"code": 1},
    }


def _words(run: Run) -> dict[str, object]:
    at = datetime(run.day.year, run.day.month, run.day.day, 10, tzinfo=UTC)
    return {
        "target_kind": "run", "target_id": f"{run.trace}:00000000000000a1", "name": "resolved",
        "value": float(run.good), "tier": "check", "author_id": run.service, "observed_at": at.isoformat(),
    }  # fmt: skip


def send(receiver: Receiver, told: list[Run]) -> None:
    for request in sent_spans(told):
        httpx.post(f"{receiver.at.http}/v1/traces", json=request).raise_for_status()
    lines = "\n".join(json.dumps(_words(run)) for run in told)
    headers = {"content-type": "application/json"}
    httpx.post(f"{receiver.at.http}/v1/feedback", content=lines, headers=headers).raise_for_status()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A wheel turned once over five days, whose requests hold a few runs of long ago."""
    places = Places(tmp_path_factory.mktemp("poison") / "data")
    models = list(RATES)
    places.data.mkdir(parents=True)
    places.skills_file.write_text(
        yaml.safe_dump({"skills": {"triage": {"baseline_model": models[0], "models": models[1:]}}})
    )
    old = [Run(LONG_AGO, BAD, "provider/small", number, good=True) for number in range(BACKDATED)]
    settings = {"inbox": places.inbox, "http_port": 0, "grpc_port": 0}
    with started(ReceiverSettings.model_validate(settings)) as receiver:
        send(receiver, [*(run for day in DAYS for run in runs(day)), *old])
    assert turn_the_wheel(places).failed == []
    return Lake(places.lake)


def test_a_day_of_it_passes_for_chance(lake: Lake):
    assert [row for row in lake.read(SOURCE_FINDINGS).to_pylist() if row["day"] == DAYS[0]] == []


def test_after_days_the_source_is_found_out_and_all_it_said_since_is_held(lake: Lake):
    (found,) = [row for row in lake.read(SOURCE_FINDINGS).to_pylist() if row["day"] == DAYS[-1]]
    assert (found["source"], found["arm"], found["others"]) == (BAD, "provider/large|-|-", 3)
    assert found["since"] <= DAYS[0]
    refused = lake.read(REJECTIONS).to_pylist()
    counted = Counter((row["day"], row["gate"], row["reason"]) for row in refused)
    held = {(day, "out_of_line", "out_of_line_for_days"): EACH * len(RATES) for day in DAYS}
    assert counted == held | {(LONG_AGO, "backdated", "backdated"): BACKDATED}
    assert {row["principal_id"] for row in refused} == {BAD}


def test_scores_are_those_of_the_honest_and_their_differences_did_not_move(lake: Lake):
    seen = Counter(lake.read(GATED_OBSERVATIONS)["principal_id"].to_pylist())
    assert seen == {service: EACH * len(RATES) * len(DAYS) for service in SERVICES if service != BAD}
    means = {row["model"]: row["mean"] for row in lake.read(SKILL_SCORES).to_pylist()}
    for model, rate in RATES.items():
        assert means[model] == pytest.approx(rate - 0.1 / 3, abs=0.005)
