"""The same telemetry gives the same tables: again, in another order, with repeats, and after `kill -9`."""

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.lake.stale import stale_days
from flywheel_assets.sources.ingest import ingest
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.catalogue import TABLES
from flywheel_assets.tables.steps import DAY_STEPS
from flywheel_assets.tables.table import Table
from flywheel_assets_tests.real_input import taubench

pytestmark = pytest.mark.slow

GENERATE = Path(__file__).parents[1] / "benchmarks" / "generate.py"
SKILLS = {
    "airline": {"baseline_model": "gpt-4o", "models": ["another-model"]},
    "extract": {"baseline_model": "openai/gpt-4o-mini", "baseline_prompt": "Be brief.", "models": []},
}

# Columns that say when or where something happened here, not what was found: they may differ.
VOLATILE = {
    "landed_batches": {
        "file": "the landing file is named after the file that was brought in",
        "ordinal": "which batches share a file is the sender's choice",
        "offset": "as ordinal",
        "landed_at": "wall clock",
    },
    "span_rejections": {"landed_at": "wall clock"},
    "promotion_decisions": {
        "decided_at": "wall clock",
        "registration_json": "holds registered_at",
        "manifest_json": "holds the numbers of table versions: one per write, however many there were",
        "entry_id": "from hash",
        "hash": "covers decided_at",
        "previous_hash": "as hash",
    },
    "decision_arguments": {"entry_id": "from the ledger's hash"},
    "promoted_routing": {"entry_id": "from the ledger's hash", "published_at": "wall clock"},
    "promoted_prompts": {"entry_id": "from the ledger's hash", "published_at": "wall clock"},
}
# A batch that came again is a row that says so; what counts is what was accepted.
ROWS = {"landed_batches": "status = 'accepted'"}

# When `flywheel run` is killed: as soon as this is in the data folder. Each time the next run takes up.
# So few days are written in one commit; between the commits of many, test_lake_rebuild.py lets it die.
KILLED_AT = {
    "landing": "lake/landed_batches",
    "decoded, but what was lost not written": "lake/raw_spans/_delta_log/*1.json",
    "one of a step's six tables written": "lake/label_votes/_delta_log/*1.json",
    "one of a step's three tables written": "lake/gate_verdicts/_delta_log/*1.json",
    "decided, but not in the ledger yet": "lake/lake_pins",
    "documents written, their table not yet": "artifacts/routing/*.json",
    "snapshot under way": "snapshots/.building-*",
}


@pytest.fixture(scope="module")
def recorded(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files and folders as they were recorded, with some of their batches in both."""
    folder = tmp_path_factory.mktemp("recorded")
    requests = [*itertools.islice(taubench.requests(shared_data / "taubench"), 2)]
    (folder / "taubench.jsonl").write_text("\n".join(requests) + "\n")
    arguments = ["1200", "--days", "2", "--form", "json", "--out", str(folder)]
    subprocess.run([sys.executable, str(GENERATE), *arguments], check=True, timeout=60, capture_output=True)
    roots = [
        span
        for request in requests
        for span in json.loads(request)["resourceSpans"][0]["scopeSpans"][0]["spans"]
        if not span["parentSpanId"]
    ]
    said = [
        {
            "target_kind": "run",
            "target_id": f"{span['traceId']}:{span['spanId']}",
            "name": "helpful",
            "value": number % 2,
            "tier": "human",
            "author_id": "reader",
            "observed_at": f"2025-06-{17 + number % 3}T12:00:00+00:00",
        }
        for number, span in enumerate(roots[::4])
    ]
    (folder / "readers.feedback.jsonl").write_text("".join(json.dumps(line) + "\n" for line in said))
    return [shared_data / "captures/restate", shared_data / "captures/inngest", folder]


@pytest.fixture(scope="module")
def batches(recorded: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every batch of the recordings in a file of its own."""
    folder = tmp_path_factory.mktemp("batches")
    for file in sorted(file for path in recorded for file in path.iterdir()):
        if file.suffix == ".json":
            shutil.copyfile(file, folder / file.name)
        for number, line in enumerate(file.read_bytes().splitlines() if file.suffix == ".jsonl" else []):
            (folder / f"{number}-{file.name}").write_bytes(line + b"\n")
    return sorted(folder.iterdir())


def wheel(folder: Path) -> Places:
    """An empty data folder with the skills stated."""
    places = Places(folder / "data")
    places.data.mkdir(parents=True)
    places.skills_file.write_text(yaml.safe_dump({"skills": SKILLS}))
    return places


def turn(places: Places, job: str = "turn") -> None:
    done = turn_the_wheel(places, job=job)
    assert (done.failed, done.red) == ([], [])


@pytest.fixture(scope="module")
def reference(recorded: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Everything at once, turned once. Read, do not write."""
    places = wheel(tmp_path_factory.mktemp("reference"))
    for path in recorded:
        ingest(path, places.inbox)
    turn(places)
    return places


@pytest.fixture(scope="module")
def twice(reference: Places, tmp_path_factory: pytest.TempPathFactory) -> Places:
    """The reference, turned once more."""
    places = Places(tmp_path_factory.mktemp("twice") / "data")
    shutil.copytree(reference.data, places.data)
    turn(places)
    return places


@pytest.fixture(scope="module")
def another_order(batches: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Places:
    """The last batch first, one by one, some of them again, with the days rebuilt in between.

    Decisions are made once, at the end: what was decided on the way on less evidence would stay decided.
    """
    places = wheel(tmp_path_factory.mktemp("another_order"))
    backwards, again = batches[::-1], random.Random(5)
    third = len(backwards) // 3 + 1
    for start in range(0, len(backwards), third):
        for batch in [*backwards[start : start + third], *again.sample(backwards, 6)]:
            # As a sender that retries: the same bytes in a new file.
            copy = places.data / batch.name
            shutil.copyfile(batch, copy)
            ingest(copy, places.inbox)
            copy.unlink()
        turn(places, "turn" if start + third >= len(backwards) else "arrival")
    return places


def killed_when(places: Places, there: str, delay: float) -> int:
    """Run `flywheel run` and kill it soon after `there` is there; how it ended."""
    assert not any(places.data.glob(there)), f"{there} is there already: an earlier run was killed too late"
    command = [sys.executable, "-m", "flywheel_assets.cli", "run", "--data", str(places.data), "--json"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + 180
    while child.poll() is None and time.monotonic() < until:
        if any(places.data.glob(there)):
            time.sleep(delay)
            break
        time.sleep(0.005)
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    return child.wait()


@pytest.fixture(scope="module")
def killed(recorded: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Killed again and again on the way, then turned to the end."""
    places = wheel(tmp_path_factory.mktemp("killed"))
    for path in recorded:
        ingest(path, places.inbox)
    luck = random.Random(11)
    ended = {moment: killed_when(places, there, luck.random() * 0.05) for moment, there in KILLED_AT.items()}
    assert ended == dict.fromkeys(KILLED_AT, -signal.SIGKILL)
    turn(places)
    return places


def rows(places: Places, table: Table) -> list[tuple[object, ...]]:
    """What the table says, without what may differ, in an order of its own."""
    lake, left_out = Lake(places.lake), VOLATILE.get(table.name, {})
    columns = ", ".join(f'"{name}"' for name in table.names if name not in left_out)
    found = lake.connect([table]).sql(f"SELECT {columns} FROM {table.name} WHERE {ROWS.get(table.name, 'true')}")
    return sorted(found.fetchall(), key=repr)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("way", ["twice", "another_order", "killed"])
def test_however_it_came_every_table_is_the_same(
    way: str, table: Table, reference: Places, request: pytest.FixtureRequest
) -> None:
    found: Places = request.getfixturevalue(way)
    assert rows(found, table) == rows(reference, table)


@pytest.mark.parametrize("way", ["reference", "twice", "another_order", "killed"])
def test_nothing_is_left_stale(way: str, request: pytest.FixtureRequest) -> None:
    lake = Lake(request.getfixturevalue(way).lake)
    assert {step.name: stale_days(lake, step) for step in DAY_STEPS} == {step.name: [] for step in DAY_STEPS}


def test_what_is_compared_is_not_nothing(reference: Places) -> None:
    found = {table.name: len(rows(reference, table)) for table in TABLES}
    # The recordings hold no storm and no span that cannot be placed; nobody stated prices or names,
    # and no service's word is out of line.
    asked_of_people = {"anchored_opinions", "corrections", "judge_day_stats", "judge_corrections"}
    absent = {
        "span_rejections",
        "decision_arguments",
        "storms",
        "prices",
        "skill_names",
        "gate_settings",
        "label_settings",
        "source_findings",
    }
    assert {name for name, count in found.items() if not count} <= absent | asked_of_people
    days = Lake(reference.lake).days(AGENT_RUNS)
    assert any(after - day == timedelta(days=1) for day, after in itertools.pairwise(days))


def test_what_may_differ_are_columns_that_there_are() -> None:
    by_name = {table.name: set(table.names) for table in TABLES}
    assert all(set(columns) <= by_name[table] for table, columns in VOLATILE.items())


def test_repeats_were_seen_as_repeats(another_order: Places) -> None:
    found = (
        Lake(another_order.lake).connect(TABLES).sql("SELECT count(*) FROM landed_batches WHERE status = 'duplicate'")
    )
    assert found.fetchall()[0][0] >= 10
