"""`flywheel demo`: the simulated fleet and the whole wheel, on a data folder of its own.

The fleet decides by the client, reports by OTLP over HTTP to a real receiver, and its next wave
loads what the turn before it published. Everything that it shows is a simulation, and says so.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import yaml

from flywheel_assets.lake.places import Places
from flywheel_assets.replay.fleet import Fleet, WaveReport
from flywheel_assets.replay.outcome import in_words, ledger
from flywheel_assets.replay.planted import demo_skills
from flywheel_assets.replay.receiving import receiving
from flywheel_assets.tables.documents.skills_file import SkillsFile

WAVES = 10
RUNS = 480
SEED = 11
# Lies in the demo's folder, so that a folder with anything else in it is never emptied.
MARK = "SIMULATION"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Played:
    """What the demo did: its folder, the waves as the fleet saw them, and what broke."""

    places: Places
    waves: list[WaveReport]
    failed: list[str]
    red: list[str]


def play(data: Path, say: Say, waves: int = WAVES, runs: int = RUNS, seed: int = SEED) -> Played:
    """Play the demo from the start in `data`; raises FileExistsError where real data are in it."""
    from flywheel_assets.defs.turn import turn_the_wheel

    places = fresh(data, demo_skills(), "the simulated fleet")
    today = datetime.now(UTC).date()
    say("turning once, so that the launch baseline is published")
    first = turn_the_wheel(places, clock=_evening(today - timedelta(days=waves + 1)))
    reports, failed, red = list[WaveReport](), [*first.failed], [*first.red]
    with receiving(places) as endpoint:
        fleet = Fleet(endpoint, places.artifacts, seed)
        for number in range(waves):
            day = today - timedelta(days=waves - number)
            reports.append(fleet.wave(day, runs))
            say(f"wave {number + 1}/{waves} ({day}): {reports[-1].runs} runs, {reports[-1].spans} spans; turning")
            known = len(ledger(places))
            turn = turn_the_wheel(places, clock=_evening(day))
            failed += turn.failed
            red = [*turn.red]
            for entry in ledger(places)[known:]:
                say(f"   {in_words(entry)}")
        fleet.close()
    return Played(places, reports, failed, red)


def _evening(day: date) -> datetime:
    """Waves lie on past days: what is registered in the evening has its evidence on the days after."""
    return datetime.combine(day, time(23, 59), UTC)


def fresh(data: Path, skills: SkillsFile, whose: str) -> Places:
    """An empty data folder with that skills.yaml; raises FileExistsError where real data are in it."""
    if data.exists() and any(data.iterdir()):
        if not (data / MARK).exists():
            raise FileExistsError(f"{data} holds data that is not the demo's or a replay's: name another folder")
        shutil.rmtree(data)
    data.mkdir(parents=True, exist_ok=True)
    (data / MARK).write_text(f"Everything in this folder comes from {whose}.\n", encoding="utf-8")
    places = Places(data)
    write_skills(places, skills, whose)
    return places


def write_skills(places: Places, skills: SkillsFile, whose: str) -> None:
    """What an operator would state in skills.yaml."""
    settings = yaml.safe_dump(skills.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    places.skills_file.write_text(f"# Skills of {whose}.\n{settings}", encoding="utf-8")
