"""Publication to Typesense: filled beside, counted, alias moved; a refusal leaves the alias where it was."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flywheel_assets.snapshots.build import Snapshot
from flywheel_assets.snapshots.collections import COLLECTIONS, GATED_OBSERVATIONS, SKILL_SCORES, Collection, Field
from flywheel_assets.snapshots.publish import Published, PublishError, publish
from flywheel_assets_tests.snapshots.typesense_standin import KEY, Standin, serving

AT = datetime(2026, 11, 9, 12, tzinfo=UTC)


@pytest.fixture
def standin() -> Iterator[Standin]:
    with serving() as started:
        yield started


def test_each_collection_is_published_under_its_name(standin: Standin, snapshot: Snapshot):
    found = publish(snapshot.path, standin.url, KEY, AT)
    assert found == [
        Published("skill_scores", "skill_scores_20261109T120000", 6),
        Published("promotion_decisions", "promotion_decisions_20261109T120000", snapshot.rows["promotion_decisions"]),
        Published("gated_observations", "gated_observations_20261109T120000", snapshot.rows["gated_observations"]),
    ]
    assert standin.aliases == {each.alias: each.collection for each in found}
    assert {name: len(kept) for name, kept in standin.documents.items()} == {e.collection: e.documents for e in found}


def test_an_observation_has_the_shape_of_a_memory(standin: Standin, snapshot: Snapshot):
    publish(snapshot.path, standin.url, KEY, AT, [GATED_OBSERVATIONS])
    kept = standin.documents["gated_observations_20261109T120000"]
    document = kept["triage-00005"]
    with duckdb.connect(str(snapshot.path), read_only=True) as con:
        ((start, outcome),) = con.execute(
            "SELECT epoch(start_time)::BIGINT, outcome FROM gated_observations WHERE run_id = 'triage-00005'"
        ).fetchall()
    assert document["observation"] == (
        f"triage on anthropic/claude-haiku-4-5: outcome {outcome:.2f} by check\nasked: request 1\nanswered: answer 5"
    )
    assert {name: document[name] for name in document if name.startswith("write_")} == {
        "write_verdict": "allow",
        "write_confidence": 0.9,
        "write_reason": "every gate allowed",
        "write_gate_version": "-",
        "write_gate_fallback": False,
    }
    assert (document["timestamp"], document["category_id"], document["stale"]) == (start, "triage", False)


def test_what_is_null_is_left_out(standin: Standin, snapshot: Snapshot):
    publish(snapshot.path, standin.url, KEY, AT, [SKILL_SCORES])
    ranks = {d["skill"]: d.get("rank") for d in standin.documents["skill_scores_20261109T120000"].values()}
    assert ranks["summarise"] is None
    assert all(
        "rank" not in d for d in standin.documents["skill_scores_20261109T120000"].values() if d["skill"] == "summarise"
    )


def test_the_alias_moves_and_only_the_collection_before_stays(standin: Standin, snapshot: Snapshot):
    standin.collections["skill_scores_notes"] = {"name": "skill_scores_notes", "fields": []}
    standin.documents["skill_scores_notes"] = {}
    for day in range(4):
        publish(snapshot.path, standin.url, KEY, AT + timedelta(days=day), [SKILL_SCORES])
    assert standin.aliases == {"skill_scores": "skill_scores_20261112T120000"}
    assert sorted(standin.collections) == [
        "skill_scores_20261111T120000",
        "skill_scores_20261112T120000",
        "skill_scores_notes",
    ]


WRONG = Collection("gated_observations", "timestamp", (Field("timestamp", "int64"), Field("colour", "string")))


def test_a_refusal_in_the_middle_leaves_the_snapshot_readable(standin: Standin, snapshot: Snapshot):
    for day in range(2):
        with pytest.raises(PublishError, match="1000 of 1000 documents were refused"):
            publish(snapshot.path, standin.url, KEY, AT + timedelta(days=day), [WRONG])
    assert standin.collections == {}


BROKEN = Collection("skill_scores", "runs", (Field("runs", "int64"), Field("colour", "string")))
UNSORTED = Collection("skill_scores", "colour", (Field("runs", "int64"),))


@pytest.mark.parametrize(
    ("collection", "key", "said"),
    [
        (BROKEN, KEY, "6 of 6 documents were refused, the first with .*colour"),
        (UNSORTED, KEY, "Default sorting field"),
        (SKILL_SCORES, "another key", "x-typesense-api-key"),
    ],
)
def test_a_refusal_says_why_removes_what_was_filled_and_leaves_the_alias(
    standin: Standin, snapshot: Snapshot, collection: Collection, key: str, said: str
):
    publish(snapshot.path, standin.url, KEY, AT, [SKILL_SCORES])
    with pytest.raises(PublishError, match=said):
        publish(snapshot.path, standin.url, key, AT + timedelta(days=1), [collection])
    assert standin.aliases == {"skill_scores": "skill_scores_20261109T120000"}
    assert list(standin.collections) == ["skill_scores_20261109T120000"]


def test_the_same_second_twice_is_refused_and_the_first_stays(standin: Standin, snapshot: Snapshot):
    publish(snapshot.path, standin.url, KEY, AT, [SKILL_SCORES])
    with pytest.raises(PublishError, match="already exists"):
        publish(snapshot.path, standin.url, KEY, AT, [SKILL_SCORES])
    assert len(standin.documents["skill_scores_20261109T120000"]) == 6


def test_an_empty_snapshot_is_published_empty(standin: Standin, snapshot: Snapshot, tmp_path: Path):
    emptied = tmp_path / "emptied.duckdb"
    shutil.copyfile(snapshot.path, emptied)
    with duckdb.connect(str(emptied)) as con:
        for table in ("skill_scores", "promotion_decisions", "gated_observations"):
            con.execute(f"DELETE FROM {table}")
    assert [each.documents for each in publish(emptied, standin.url, KEY, AT)] == [0, 0, 0]


def test_a_server_that_is_not_there_is_an_error_with_its_address(snapshot: Snapshot):
    with pytest.raises(PublishError, match="skill_scores_20261109T120000"):
        publish(snapshot.path, "http://127.0.0.1:9", KEY, AT)


@pytest.mark.skipif("TYPESENSE_URL" not in os.environ, reason="needs a server: set TYPESENSE_URL and TYPESENSE_API_KEY")
def test_a_real_server_takes_all_collections(snapshot: Snapshot):
    found = publish(snapshot.path, os.environ["TYPESENSE_URL"], os.environ["TYPESENSE_API_KEY"], datetime.now(UTC))
    assert [each.alias for each in found] == [collection.name for collection in COLLECTIONS]
