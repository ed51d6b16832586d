"""The simulated fleet: agents with planted truths that decide by the real client and report by real OTLP.

Nothing here is a measurement of any model. Every span says so: its service is 'simulated-fleet'
and its resource has flywheel.simulation = true.
"""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from os import PathLike
from random import Random

from flywheel_assets.client.client import Client
from flywheel_assets.replay.agent import SECOND, Agent, Job
from flywheel_assets.replay.planted import PLANTED, STORM, Truth
from flywheel_assets.replay.requests import request
from flywheel_assets.replay.telemetry import Telemetry

# Of all sessions, so many have a second run.
SECOND_RUNS = 0.12
USERS = 150


@dataclass(slots=True)
class Tally:
    """Runs, and the sum of their expected outcomes."""

    runs: int = 0
    expected: float = 0.0

    @property
    def mean(self) -> float | None:
        """Mean expected outcome; None without runs."""
        return self.expected / self.runs if self.runs else None

    def add(self, expected: float) -> None:
        """One more run."""
        self.runs += 1
        self.expected += expected


@dataclass(slots=True)
class SkillWave:
    """One skill's part of a wave: true expected outcomes, which no agent and no stage can see."""

    baseline: float
    best: float
    served: Tally = field(default_factory=Tally)
    segments: dict[str, Tally] = field(default_factory=dict[str, Tally])
    arms: dict[str, Tally] = field(default_factory=dict[str, Tally])

    def add(self, segment: str, arm: str, expected: float) -> None:
        """One more run."""
        for tally in (self.served, self.segments.setdefault(segment, Tally()), self.arms.setdefault(arm, Tally())):
            tally.add(expected)


@dataclass(frozen=True, slots=True)
class WaveReport:
    """What one wave sent. `spans` were all acknowledged."""

    wave: int
    day: date
    policy_id: str | None
    runs: int
    spans: int
    skills: dict[str, SkillWave]


class Fleet:
    """Simulated agents that send to `endpoint` and decide from `artifacts`, a folder or an address."""

    def __init__(self, endpoint: str, artifacts: str | PathLike[str], seed: int, token: str | None = None) -> None:
        self._telemetry = Telemetry(endpoint, f"{seed}-ids", token)
        # Told to look for new artifacts at the start of each wave, and at no other time.
        self._client = Client(artifacts, check_every=1e9, token=token)
        self._agent = Agent(self._client, self._telemetry.tracer)
        self._seed = seed
        self._waves = 0

    def wave(self, day: date, runs: int) -> WaveReport:
        """So many runs on one UTC day, with the artifacts as they are now; a retry storm comes on top.

        Raises ConnectionError where the receiver did not take every span.
        """
        rng = Random(f"{self._seed}-{self._waves}")  # noqa: S311 - a simulation
        self._client.refresh()
        before = self._telemetry.flush()
        skills = {skill: _frame(truth, self._waves) for skill, truth in PLANTED.items()}
        jobs = self._jobs(day, runs, rng)
        for job in jobs:
            ran = self._agent.run(job, rng)
            if not job.stormy:
                skills[job.truth.skill].add(ran.decision.segment, ran.decision.arm or "-", ran.expected)
        spans = self._telemetry.flush() - before
        self._waves += 1
        return WaveReport(self._waves - 1, day, self._client.policy_id, len(jobs), spans, skills)

    def close(self) -> None:
        """End the exporting thread."""
        self._telemetry.close()

    def _jobs(self, day: date, runs: int, rng: Random) -> list[Job]:
        """The wave's runs in order of time: skills in turn, users at random, sessions of one or two runs."""
        midnight = int(datetime.combine(day, time(), UTC).timestamp()) * SECOND
        wave, jobs, turns = self._waves, list[Job](), itertools.cycle(PLANTED.values())
        while len(jobs) < runs:
            truth, session = next(turns), f"sim-{self._seed}-{wave}-{len(jobs)}"
            user = f"sim-user-{rng.randrange(USERS)}"
            start = midnight + rng.randrange(600, 84_000) * SECOND + rng.randrange(SECOND)
            jobs.append(Job(truth, wave, session, user, start, request(truth.skill, rng)))
            if rng.random() < SECOND_RUNS and len(jobs) < runs:
                jobs.append(Job(truth, wave, session, user, start + 90 * SECOND, request(truth.skill, rng)))
        if wave == STORM.wave:
            truth, asked, name = PLANTED[STORM.skill], request(STORM.skill, rng), f"sim-{self._seed}-{wave}-storm"
            begin = midnight + 43_200 * SECOND
            times = (begin + attempt * SECOND // 2 for attempt in range(STORM.runs))
            jobs.extend(Job(truth, wave, name, "sim-user-storm", start, asked, stormy=True) for start in times)
        return sorted(jobs, key=lambda job: job.start)


def _frame(truth: Truth, wave: int) -> SkillWave:
    return SkillWave(truth.success(truth.models[0].name, truth.baseline_prompt, wave), truth.best(wave))
