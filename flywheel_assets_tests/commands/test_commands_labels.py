"""People are asked about a random sample; their answers come back as a file and put the judge right."""

import csv
import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner

from flywheel_assets.cli.app import app
from flywheel_assets.commands.queues.registry import find_queues
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.receiver.desk.work import UnfitError, Word
from flywheel_assets.tables.documents.queue import COLUMNS
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.judge_corrections import JUDGE_CORRECTIONS
from flywheel_assets_tests.conftest import attribute, run_spans

RUNS = 40
DAY = datetime.now(UTC).date() - timedelta(days=1)
KEY = "AKIA" + "Q3EXAMPLE7TESTKE"


def call(data: Path, *words: str) -> tuple[int, dict]:
    done = CliRunner().invoke(app, [*words, "--data", str(data), "--json"])
    return done.exit_code, json.loads(done.stdout)


def turn(places: Places) -> None:
    done = turn_the_wheel(places)
    assert (done.failed, done.red) == ([], [])


def judged_runs(places: Places, day: date) -> None:
    """Runs with their texts, each called good by a judge."""
    spans = [run_spans(day, number) for number in range(RUNS)]
    for number, (agent, _) in enumerate(spans):
        agent["events"] = []
        text = f"answer {number}" + (f" with {KEY}" if number == 0 else "")
        answer = [{"role": "assistant", "parts": [{"type": "text", "content": text}]}]
        agent["attributes"].append(attribute("gen_ai.output.messages", json.dumps(answer)))
    request = {"resourceSpans": [{"scopeSpans": [{"spans": [span for pair in spans for span in pair]}]}]}
    places.inbox.mkdir(parents=True)
    (places.inbox / "runs.jsonl").write_text(json.dumps(request) + "\n")
    (places.inbox / "judge.feedback.jsonl").write_text("".join(json.dumps(said(agent)) + "\n" for agent, _ in spans))
    places.skills_file.write_text("anchor_share: 1.0\nskills: {triage: {baseline_model: provider/small}}\n")


def said(agent: dict) -> dict:
    by = {"name": "judge", "tier": "judge", "author_id": "m", "author_version": "v1", "value": 1}
    target = {"target_kind": "run", "target_id": f"{agent['traceId']}:{agent['spanId']}"}
    return {**by, **target, "observed_at": f"{DAY}T20:00:00Z"}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A wheel whose runs a judge has judged; turned once. Shared: read, do not write."""
    places = Places(tmp_path_factory.mktemp("labels") / "data")
    judged_runs(places, DAY)
    turn(places)
    return places


def test_every_turn_writes_what_people_are_to_be_asked_and_shows_them_no_credentials(asked: Places):
    text = (asked.queues / "anchors.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == RUNS
    assert {row["verdict"] for row in rows} == {""}
    assert KEY not in text
    (row,) = Lake(asked.lake).read(JUDGE_CORRECTIONS).filter(pc.field("arm") == "*").to_pylist()
    assert (row["state"], row["rate"], row["judge_rate"]) == ("missing", None, 1.0)


def test_the_same_runs_are_asked_about_whoever_asks(asked: Places):
    lists = [call(asked.data, "labels", "list", "anchors", "--most", "5")[1]["result"] for _ in range(2)]
    assert lists[0] == lists[1]
    assert len(lists[0]) == 5
    assert call(asked.data, "labels", "list", "another")[0] == 2


def test_a_filled_file_corrects_the_judge_and_is_asked_no_more(asked: Places, tmp_path: Path):
    shutil.copytree(asked.data, tmp_path / "data", ignore=shutil.ignore_patterns("dagster"))
    asked = Places(tmp_path / "data")
    file = tmp_path / "mine.csv"
    code, answer = call(asked.data, "labels", "export", "anchors", str(file), "--most", str(RUNS))
    assert (code, answer["result"]["questions"]) == (0, RUNS)
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    for number, row in enumerate(rows):
        row |= {"verdict": ("pass", "fail")[number % 2], "author": "ann"}
    rows[0]["verdict"] = "perhaps"
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    code, answer = call(asked.data, "labels", "ingest", str(file))
    assert (code, answer["result"]["answers"], answer["result"]["set_aside"]) == (1, RUNS - 1, 1)
    turn(asked)
    left = call(asked.data, "labels", "list", "anchors")[1]["result"]
    assert [row["target_id"] for row in left] == [rows[0]["target_id"]]
    lake = Lake(asked.lake)
    (row,) = lake.read(JUDGE_CORRECTIONS).filter(pc.field("arm") == "*").to_pylist()
    assert (row["state"], row["judge_rate"], row["people"]) == ("corrected", 1.0, ["ann"])
    assert row["lower"] < 0.5 < row["upper"]
    people = lake.read(FEEDBACK).filter(pc.field("tier") == "human").to_pylist()
    assert {(one["name"], one["author_id"]) for one in people} == {("anchor", "ann")}
    with duckdb.connect(str(asked.snapshots / "current.duckdb"), read_only=True) as con:
        shown = con.sql("SELECT state FROM judge_corrections WHERE arm = '*'").fetchall()
    assert shown == [("corrected",)]


def said_by_people(places: Places) -> list[dict]:
    lines = [line for file in places.inbox.glob("*.feedback.jsonl*") for line in file.read_text().splitlines()]
    return [{**json.loads(line), "observed_at": ""} for line in lines if '"human"' in line]


def test_the_desk_the_command_and_a_filled_file_keep_the_same_record(asked: Places, tmp_path: Path):
    places = Places(tmp_path / "data")
    shutil.copytree(asked.data, places.data, ignore=shutil.ignore_patterns("dagster"))
    desk = find_queues(places)["labels"]
    page = desk.listed("")
    assert dict(page.parts) == {"anchors": RUNS}
    item = page.items[0]
    assert KEY not in "".join(text for one in page.items for _, text in one.texts)
    run = item.id.partition(":")[2]
    desk.take(Word(item.id, "fail", "ann", "too short", "A longer answer."))
    said = ["--by", "ann", "--comment", "too short", "--correction", "A longer answer."]
    assert call(places.data, "labels", "answer", "anchors", run, "fail", *said)[0] == 0
    file = tmp_path / "mine.csv"
    call(places.data, "labels", "export", "anchors", str(file), "--most", "1")
    (row,) = csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines())
    row |= {"verdict": "fail", "author": "ann", "comment": "too short", "correction": "A longer answer."}
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, COLUMNS)
        writer.writeheader()
        writer.writerow(row)
    assert call(places.data, "labels", "ingest", str(file))[0] == 0
    records = said_by_people(places)
    assert (len(records), records[0]["name"], records[0]["value"]) == (3, "anchor", 0.0)
    assert records == records[:1] * 3


@pytest.mark.parametrize(
    ("item", "verb", "told"),
    [("anchors:nobody", "pass", "no run"), ("others:x", "pass", "no queue"), ("anchors:x", "shred", "no such answer")],
)
def test_an_answer_that_cannot_be_meant_is_refused_at_the_desk(asked: Places, item: str, verb: str, told: str):
    with pytest.raises(UnfitError, match=told):
        find_queues(asked)["labels"].take(Word(item, verb, "ann"))


def test_what_is_no_queue_is_not_taken_for_one(asked: Places, tmp_path: Path):
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    assert call(asked.data, "labels", "ingest", str(tmp_path / "notes.csv"))[0] == 2
    assert call(asked.data, "labels", "ingest", str(tmp_path / "nothing.csv"))[0] == 3
    assert call(asked.data, "labels", "export", "anchors", str(tmp_path / "q.xlsx"))[0] == 2
