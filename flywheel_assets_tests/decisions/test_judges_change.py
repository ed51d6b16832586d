"""A judge that changed: what it said before no longer carries a verdict, and a promotion on it is unproven."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import duckdb
import pyarrow as pa
import pytest

from flywheel_assets.commands.status import status
from flywheel_assets.decisions.decide import Decided, decide
from flywheel_assets.decisions.ledger import replay
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.snapshots.build import build_snapshot
from flywheel_assets.snapshots.report import write_report
from flywheel_assets.snapshots.support import support, support_in
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets_tests.decisions.conftest import CANDIDATE, INCUMBENT, Row, World

RATES = {INCUMBENT: 0.3, CANDIDATE: 0.9}


def judged(world: World, versions: dict[int, str], author: str = "judge") -> list[Row]:
    """What the judge said of every run: in the version of the last start number that is not above the run's."""
    said: list[Row] = []
    for number, row in enumerate(world.runs):
        version = versions[max(start for start in versions if start <= number)]
        root = number % 2 == 0
        said.append(
            {
                "day": row["day"],
                "feedback_id": f"f-{number}",
                "target_kind": "span" if root else "run",
                "target_id": f"{row['trace_id']}:{row['root_span_id']}" if root else row["run_id"],
                "name": "correctness",
                "value": row["outcome"],
                "tier": "judge",
                "author_id": author,
                "author_version": version,
                "observed_at": row["start_time"],
                "source": "posted",
            }
        )
    return said


def connected(world: World, said: list[Row]) -> duckdb.DuckDBPyConnection:
    con = world.inputs().con
    con.register("feedback", FEEDBACK.rows(said))
    return con


def turn(world: World, said: list[Row]) -> Decided:
    world.now += timedelta(hours=1)
    decided = decide(replace(world.inputs(), con=connected(world, said)))
    world.ledger = pa.concat_tables([world.ledger, decided.entries])
    return decided


@pytest.mark.parametrize(
    ("tier", "versions", "kind"),
    [
        ("judge", {0: "1"}, "promoted"),
        # Nearly all was judged before the judge changed.
        ("judge", {0: "1", 245: "2"}, "held"),
        # What came after bears it out alone.
        ("judge", {0: "1", 20: "2"}, "promoted"),
        # People's answers do not lapse with a judge.
        ("human", {0: "1", 245: "2"}, "promoted"),
    ],
)
def test_a_verdict_that_hangs_on_an_earlier_judge_is_held(tier: str, versions: dict[int, str], kind: str):
    world = World()
    world.turn()
    world.draw(250, RATES, tier=tier)
    said = judged(world, versions)
    turn(world, said)
    assert world.last()["kind"] == kind
    assert ("unproven" in str(world.last()["reason"])) == (kind == "held")
    shown = {one["criterion"]: one for one in json.loads(str(world.last()["criteria_json"]))["criteria"]}
    assert ("outdated_share" in shown["evidence_fresh"]["numbers"]) == (tier == "judge" and len(versions) > 1)
    assert replay(world.last(), connected(world, said)) == []


def test_a_held_verdict_goes_through_once_the_new_judge_has_seen_enough():
    world = World()
    world.turn()
    world.draw(250, RATES, tier="judge")
    turn(world, judged(world, {0: "1", 245: "2"}))
    world.draw(150, RATES, tier="judge")
    turn(world, judged(world, {0: "1", 245: "2"}))
    assert [entry["kind"] for entry in world.entries()] == ["registered", "held", "promoted"]


def test_a_promotion_becomes_unproven_when_its_judge_changes_and_says_so():
    world = World()
    world.turn()
    world.draw(250, RATES, tier="judge")
    said = judged(world, {0: "1"})
    decided = turn(world, said)

    def standing(said: list[Row]) -> Row:
        with duckdb.connect() as con:
            con.register("promotion_decisions", world.ledger)
            con.register("decision_arguments", decided.arguments)
            con.register("gated_observations", GATED_OBSERVATIONS.rows(world.runs))
            con.register("feedback", FEEDBACK.rows(said))
            (row,) = support(con)
        return row

    before, later = standing(said), [*said, {**said[0], "feedback_id": "new", "target_id": "x", "author_version": "2"}]
    later[-1]["observed_at"] = world.now
    after = standing(later)
    assert (before["standing"], before["outdated_units"]) == ("proven", 0)
    assert (after["standing"], after["outdated_units"]) == ("unproven", after["units"])
    assert "judge 1, now 2" in str(after["reason"])


@pytest.mark.parametrize(("newest", "standing"), [("1", "proven"), ("2", "unproven")])
def test_status_and_the_report_show_whether_what_is_in_force_is_still_proven(
    newest: str, standing: str, tmp_path: Path
):
    world, places = World(), Places(tmp_path)
    world.turn()
    world.draw(250, RATES, tier="judge")
    said = judged(world, {0: "1"})
    decided, lake = turn(world, said), Lake(places.lake)
    said.append({**said[0], "feedback_id": "new", "target_id": "x", "author_version": newest, "observed_at": world.now})
    lake.overwrite(PROMOTION_DECISIONS, world.ledger)
    lake.overwrite(DECISION_ARGUMENTS, decided.arguments)
    lake.overwrite(GATED_OBSERVATIONS, GATED_OBSERVATIONS.rows(world.runs), world.now.date())
    lake.overwrite(FEEDBACK, FEEDBACK.rows(said), world.now.date())
    places.skills_file.write_text("skills: {triage: {baseline_model: old, models: [new]}}")

    (shown,) = support_in(lake)
    answer = status(places)
    (skill,) = cast("dict[str, list[Row]]", answer.result)["skills"]
    page = write_report(
        build_snapshot(lake, places.snapshots, world.now).path, tmp_path / "page", world.now
    ).read_text()
    assert (skill["standing"], skill["support"]) == (shown["standing"], shown["reason"]) == (standing, skill["support"])
    assert any(shown["reason"] in line for line in answer.next_actions) == (standing == "unproven")
    assert f'<span class="tag {standing}">{standing}</span>' in page
    assert f"In force: {shown['reason']}." in page
