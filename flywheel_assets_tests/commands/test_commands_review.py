"""A person's word goes through the inbox like all else, and the next turn acts on it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from typer.testing import CliRunner

from flywheel_assets.cli.app import app
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gate_verdicts import GATE_VERDICTS
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS, REJECTIONS


def call(data: Path, *words: str) -> tuple[int, dict]:
    done = CliRunner().invoke(app, [*words, "--data", str(data), "--json"])
    return done.exit_code, json.loads(done.stdout)


def turn(places: Places) -> None:
    done = turn_the_wheel(places)
    assert (done.failed, done.red) == ([], [])


def ids(places: Places, table) -> set[str]:
    return set(Lake(places.lake).read(table, columns=["example_id"])["example_id"].to_pylist())


def test_a_person_refuses_and_releases_however_late_and_both_words_are_kept(tmp_path: Path, arrive):
    places = Places(tmp_path)
    # Three weeks ago: later than feedback is waited for.
    arrive(places, datetime.now(UTC).date() - timedelta(days=21), 4)
    turn(places)
    one = min(ids(places, GATED_OBSERVATIONS))
    assert call(tmp_path, "review", "release", one, "--by", "ann")[0] == 3

    assert call(tmp_path, "review", "confirm", one, "--by", "ann")[0] == 3
    assert call(tmp_path, "review", "refuse", one, "--by", "ann", "--comment", "wrong customer")[0] == 0
    turn(places)
    assert ids(places, REJECTIONS) == {one}
    code, answer = call(tmp_path, "review", "list", "--gate", "review")
    assert (code, [row["example_id"] for row in answer["result"]]) == (0, [one])
    assert call(tmp_path, "review", "confirm", one, "--by", "cy")[1]["result"]["review"] == "refuse"
    assert call(tmp_path, "review", "list", "--skill", "another")[1]["result"] == []

    assert call(tmp_path, "review", "release", one, "--by", "bob")[0] == 0
    turn(places)
    assert one in ids(places, GATED_OBSERVATIONS)
    verdicts = Lake(places.lake).read(GATE_VERDICTS).to_pylist()
    assert [row["detail"] for row in verdicts if (row["example_id"], row["gate"]) == (one, "review")] == [
        "released by bob"
    ]
    words = Lake(places.lake).read(FEEDBACK).to_pylist()
    kept = {(row["author_id"], row["value_text"], row["comment"]) for row in words if row["name"] == "flywheel.review"}
    assert kept == {("ann", "refuse", "wrong customer"), ("cy", "refuse", None), ("bob", "release", None)}


def test_how_often_people_agreed_with_a_gate_is_in_the_snapshot(tmp_path: Path, arrive):
    places = Places(tmp_path)
    day = datetime.now(UTC).date() - timedelta(days=2)
    arrive(places, day, 3)
    # The same runs once more under other ids would be other runs; the same file is a duplicate batch.
    turn(places)
    with duckdb.connect(str(places.snapshots / "current.duckdb"), read_only=True) as con:
        assert con.sql("SELECT count(*) FROM gate_audit").fetchone() == (0,)
    (tmp_path / "skills.yaml").write_text("skills: {}\n")
    one = min(ids(places, GATED_OBSERVATIONS))
    call(tmp_path, "review", "refuse", one, "--by", "ann")
    turn(places)
    with duckdb.connect(str(places.snapshots / "current.duckdb"), read_only=True) as con:
        # A review is no gate: what people refuse unasked says nothing of any gate's precision.
        assert con.sql("SELECT count(*) FROM gate_audit").fetchone() == (0,)
