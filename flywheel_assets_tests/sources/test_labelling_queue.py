"""A queue that people filled in comes back as their feedback; what cannot be meant is set aside and counted."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.sources.batches import read_batches
from flywheel_assets.sources.ingest import ingest
from flywheel_assets.sources.land import land
from flywheel_assets.sources.queues import write_queue
from flywheel_assets.tables.documents.queue import COLUMNS, MARK
from flywheel_assets.tables.landed_batches import LANDED_BATCHES

NOW = datetime.now(UTC)
QUESTION = {MARK: "unlabeled", "target_kind": "run", "target_id": "r1", "day": f"{NOW:%Y-%m-%d}", "request": "when?"}
ANSWERS = {
    "a word": ({"verdict": "Pass"}, {"value": 1.0, "name": "label", "value_text": None}),
    "another": ({"verdict": "no"}, {"value": 0.0}),
    "a number": ({"value": "0.25"}, {"value": 0.25}),
    "a number with a comma": ({"value": "0,25"}, {"value": 0.25}),
    "both, in accord": ({"verdict": "pass", "value": "0.9"}, {"value": 0.9}),
    "cannot tell": ({"verdict": "unclear"}, {"value": None, "value_text": "unclear"}),
    "a correction alone": (
        {"correction": "at five"},
        {"value": None, "correction": {"before": None, "after": "at five"}},
    ),
    "a comment alone": ({"comment": "rude"}, {"value": None, "comment": "rude"}),
    "of the standing sample": ({MARK: "anchors", "verdict": "pass"}, {"name": "anchor", "value": 1.0}),
}
REFUSED = {
    "nobody": ({"verdict": "pass", "author": ""}, "author: write who says so"),
    "an unknown word": ({"verdict": "meh"}, "verdict 'meh' is none of"),
    "no number": ({"value": "high"}, "value 'high' is not a number"),
    "off the scale": ({"value": "4"}, "not on its scale"),
    "against itself": ({"verdict": "fail", "value": "1"}, "contradict each other"),
    "another queue": ({MARK: "mine", "verdict": "pass"}, "is none of anchors"),
    "no target": ({"target_id": "", "verdict": "pass"}, "target_id"),
    "a day that is none": ({"day": "soon", "verdict": "pass"}, "day"),
}


def dropped(folder: Path, lines: list[dict], name: str = "filled.csv") -> tuple[list[dict], list[str], object]:
    """Statements and reasons of refusal after a filled queue was dropped into the inbox."""
    inbox, lake = folder / "inbox", Lake(str(folder / "lake"))
    write_queue(inbox / name, [{**QUESTION, "author": "ann", **line} for line in lines])
    landed = land(lake, inbox, folder / "landing", NOW)
    return list(said(lake, folder / "landing")), reasons(lake), landed


def said(lake: Lake, landing: Path) -> Iterator[dict]:
    for batch in read_batches(lake, landing, NOW.date(), "feedback"):
        yield json.loads(batch.payload)


def first_row(file: Path) -> dict:
    return next(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))


def reasons(lake: Lake) -> list[str]:
    rows = lake.read(LANDED_BATCHES).to_pylist()
    return [row["reason"] for row in rows if row["status"] == "rejected"]


@pytest.mark.parametrize("name", ["filled.csv", "filled.jsonl"])
@pytest.mark.parametrize(("answer", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_feedback_of_its_author(tmp_path: Path, name: str, answer: dict, expected: dict):
    (one,), refused, _ = dropped(tmp_path, [answer, {}], name)
    assert {key: one[key] for key in expected} == expected
    assert (one["author_id"], one["tier"], one["target_id"], refused) == ("ann", "human", "r1", [])


@pytest.mark.parametrize(("answer", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_line_that_cannot_be_meant_is_set_aside_with_its_reason(tmp_path: Path, answer: dict, reason: str):
    kept, refused, landed = dropped(tmp_path, [answer, {"verdict": "pass"}])
    assert len(kept) == 1
    assert len(refused) == landed.rejected == 1
    assert reason in refused[0]


def test_a_queue_is_taken_once_and_kept_as_it_was(tmp_path: Path):
    dropped(tmp_path, [{"verdict": "pass"}])
    again = land(Lake(str(tmp_path / "lake")), tmp_path / "inbox", tmp_path / "landing", NOW)
    (kept,) = (tmp_path / "landing" / "queues").glob("[!.]*.csv")
    assert (again.accepted, again.duplicates, again.rejected) == (0, 0, 0)
    assert first_row(kept)["verdict"] == "pass"
    assert list((tmp_path / "inbox").iterdir()) == []


def test_what_was_written_after_it_was_taken_is_read_too(tmp_path: Path):
    dropped(tmp_path, [{"verdict": "pass"}])
    (kept,) = (tmp_path / "landing" / "queues").glob("[!.]*.csv")
    late = {**QUESTION, "author": "ann", "target_id": "r2", "verdict": "fail"}
    with kept.open("a", encoding="utf-8") as opened:
        csv.DictWriter(opened, COLUMNS).writerow(late)
    lake = Lake(str(tmp_path / "lake"))
    land(lake, tmp_path / "inbox", tmp_path / "landing", NOW)
    assert {one["target_id"] for one in said(lake, tmp_path / "landing")} == {"r1", "r2"}


@pytest.mark.parametrize(("separator", "code"), [(";", "cp1252"), ("\t", "utf-8"), (",", "utf-8-sig")])
def test_what_spreadsheets_make_of_it_is_read(tmp_path: Path, separator: str, code: str):
    file = tmp_path / "filled.csv"
    with file.open("w", encoding=code, newline="") as opened:
        writer = csv.DictWriter(opened, COLUMNS, delimiter=separator)
        writer.writeheader()
        writer.writerow({**QUESTION, "author": "Zoë", "comment": "trop\nlong", "verdict": "fail"})
        opened.write(separator.join(["x"] * 20) + "\r\n")
    done = ingest(file, tmp_path / "inbox")
    (found,) = done.translated.values()
    assert (found.feedback, found.set_aside, found.reasons) == (1, 1, {"more cells than columns": 1})
    lake = Lake(str(tmp_path / "lake"))
    land(lake, tmp_path / "inbox", tmp_path / "landing", NOW)
    (one,) = said(lake, tmp_path / "landing")
    assert (one["author_id"], one["comment"]) == ("Zoë", "trop\nlong")


def test_a_spreadsheet_executes_nothing_of_what_strangers_wrote(tmp_path: Path):
    write_queue(tmp_path / "q.csv", [{**QUESTION, "request": "=cmd|'/c calc'!A1", "answer": "-1"}])
    row = first_row(tmp_path / "q.csv")
    assert (row["request"][0], row["answer"]) == ("'", "'-1")
