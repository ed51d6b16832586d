"""The demo, played once from start to end: what was planted is found, and every claim about it holds."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from flywheel_assets.client.scoring import ready
from flywheel_assets.commands.decisions import check, derive_again
from flywheel_assets.commands.up import Ports, running
from flywheel_assets.commands.why import used_by, why
from flywheel_assets.lake.fingerprint import fingerprint
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.replay.demo import Played, play
from flywheel_assets.replay.outcome import ledger
from flywheel_assets.replay.planted import PLANTED, REPORTER, STORM
from flywheel_assets.tables.catalogue import BY_NAME
from flywheel_assets.tables.documents.routing import RoutingDocument, SkillRoute, draw
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets_tests.benchmarks.pictures import decision

CHROMIUM = shutil.which("chromium")
SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> Played:
    return play(tmp_path_factory.mktemp("demo") / "data", lambda _: None)


@pytest.fixture(scope="module")
def lake(played) -> Lake:
    return Lake(played.places.lake)


@pytest.fixture(scope="module")
def entries(played):
    return ledger(played.places)


@pytest.fixture(scope="module")
def snapshot(played):
    with duckdb.connect(str(played.places.snapshots / "current.duckdb"), read_only=True) as con:
        yield con


def policies(played) -> dict[str, RoutingDocument]:
    files = (played.places.artifacts / "routing").glob("*-routing-*.json")
    documents = [
        RoutingDocument.model_validate_json(file.read_bytes()) for file in files if ".evidence" not in file.name
    ]
    return {document.policy_id: document for document in documents}


def in_production(played) -> RoutingDocument:
    pointer = json.loads((played.places.artifacts / "channels" / "production.json").read_text())
    return policies(played)[pointer["policy_id"]]


def models(arms) -> set[str]:
    return {arm.split("|")[0] for arm in arms}


def test_no_step_failed_and_no_check_is_red_at_the_end(played):
    assert (played.failed, played.red) == ([], [])


def test_every_span_that_was_acknowledged_is_in_the_lake(played, lake):
    assert lake.read(RAW_SPANS, columns=["span_id"]).num_rows == sum(wave.spans for wave in played.waves)


def test_the_better_model_is_promoted_and_the_one_that_the_unregistered_reporter_praises_never_is(entries, snapshot):
    promoted = [e["candidate_arm"] for e in entries if e["kind"] == "promoted" and e["skill"] == REPORTER.skill]
    assert models(promoted) == {"sim-south/deep-2"}
    said, weighed = "count(*) > 0", "count(*) FILTER (confidence > 0.5)"
    votes = snapshot.sql(f"SELECT {said}, {weighed} FROM label_votes WHERE author_id = 'unregistered'")
    assert votes.fetchone() == (True, 0)


def test_the_promoted_prompt_says_how_dates_are_written(played, entries):
    (arm, *_) = [e["candidate_arm"] for e in entries if e["kind"] == "promoted" and e["skill"] == "extract"]
    document = played.places.artifacts / "prompts" / "extract" / f"{arm.split('|')[1]}.json"
    text = json.loads(document.read_text())["text"]
    assert any(cue in text for cue in PLANTED["extract"].cues)


def test_between_equal_models_nothing_is_promoted(entries):
    assert [e["kind"] for e in entries if e["skill"] == "sql" and e["kind"] in ("promoted", "rolled_back")] == []


def test_the_regressing_model_is_promoted_and_then_rolled_back(played, entries):
    nova = [e["kind"] for e in entries if "nova-3" in e["candidate_arm"] and e["kind"] in ("promoted", "rolled_back")]
    assert nova == ["promoted", "rolled_back"]
    route = in_production(played).skills["summarise"]
    assert "sim-east/nova-3" not in models(segment.arm for segment in route.trial if segment.name == "production")


def test_a_storm_of_one_session_counts_once(snapshot):
    stormy = f"session_id LIKE 'sim-%-{STORM.wave}-storm'"
    assert snapshot.sql(f"SELECT count(*) FROM agent_runs WHERE {stormy}").fetchone() == (STORM.runs,)
    assert snapshot.sql(f"SELECT count(*) FROM gated_observations WHERE {stormy}").fetchone()[0] <= 1


def test_the_holdout_never_leaves_the_launch_baseline(snapshot):
    arms = snapshot.sql(
        "SELECT skill, count(DISTINCT arm), any_value(model), count(*) FROM agent_runs"
        " WHERE segment = 'holdout' GROUP BY skill"
    ).fetchall()
    assert {(skill, kinds, model) for skill, kinds, model, _ in arms} == {
        (skill, 1, truth.models[0].name) for skill, truth in PLANTED.items()
    }
    assert all(runs > 0 for *_, runs in arms)


def drawn(route: SkillRoute, skill: str, unit: str, text: str, context: dict) -> tuple[str, str, float]:
    """Segment, arm and the arm's probability, from the document's own words; scored arms by the rule they name."""
    fixed = list(itertools.accumulate(segment.share for segment in route.fixed))
    point, chosen = draw(route.salt, skill, unit), None
    for segment, end in zip(route.fixed, fixed, strict=True):
        if chosen is None and point < end:
            chosen = segment
    if chosen is None:
        point = draw(route.trial_salt, skill, unit)
        ends = itertools.accumulate(segment.share for segment in route.trial)
        chosen = next(segment for segment, end in zip(route.trial, ends, strict=True) if point < end or end > 1 - 1e-9)
    rest = 1 - sum(segment.share for segment in route.fixed)
    shares = [(s.arm, s.share) for s in route.fixed] + [(s.arm, s.share * rest) for s in route.trial]
    rules = {arm: ready(scorer.model_dump()).choose(text, context) for arm, scorer in (route.scorers or {}).items()}
    arm = rules.get(chosen.arm, chosen.arm)
    return chosen.name, arm, sum(share for taken, share in shares if rules.get(taken, taken) == arm)


def test_every_run_got_the_arm_and_the_propensity_that_its_policy_says(played, snapshot):
    known = policies(played)
    runs = snapshot.sql(
        "SELECT policy_id, skill, unit_id, segment, arm, propensity, input_text, context_json "
        "FROM agent_runs WHERE decision_id IS NOT NULL"
    ).fetchall()
    assert len(runs) == sum(wave.runs for wave in played.waves)
    wrong = []
    for policy, skill, unit, segment, arm, propensity, text, context in runs:
        name, chosen, probability = drawn(known[policy].skills[skill], skill, unit, text, json.loads(context))
        if (name, chosen) != (segment, arm) or abs(probability - propensity) > 1e-9:
            wrong.append((policy, skill, unit, segment, arm, propensity, name, chosen, probability))
    assert wrong == []


def test_every_entry_of_the_ledger_verifies_and_replays_byte_for_byte(played, entries):
    assert check(played.places).result == {"entries": len(entries), "faults": []}
    differing = {e["seq"]: derive_again(played.places, e["entry_id"]).result["differences"] for e in entries}
    assert {seq: found for seq, found in differing.items() if found} == {}
    assert {e["kind"] for e in entries} >= {"registered", "promoted", "rolled_back"}


@pytest.mark.parametrize("skill", ["triage", "extract", "summarise"])
def test_from_what_was_promoted_one_gets_to_the_spans_that_argued_for_it_and_back(played, lake, skill):
    found = why(played.places, skill).result
    assert found["arguments"]
    span = found["arguments"][0]["span"]
    trace, _, span_id = span.partition(":")
    con = lake.connect([RAW_SPANS])
    assert con.execute(
        "SELECT count(*) FROM raw_spans WHERE trace_id = ? AND span_id = ?", [trace, span_id]
    ).fetchone() == (1,)
    assert found["entry"]["entry_id"] in {row["entry_id"] for row in used_by(played.places, span).result["decisions"]}


def test_the_snapshot_holds_what_the_lake_holds_at_the_versions_it_names(lake, snapshot):
    named = snapshot.sql("SELECT table_name, table_version FROM snapshot_manifest").fetchall()
    assert {"agent_runs", "gated_observations", "promotion_decisions"} <= {name for name, _ in named}
    for name, version in named:
        if version is not None:
            rows = BY_NAME[name].conform(snapshot.sql(f'SELECT * FROM "{name}"').to_arrow_table())
            assert (name, fingerprint(rows)) == (name, fingerprint(lake.read(BY_NAME[name], version=version)))


def test_the_agents_got_better_and_the_report_says_that_it_is_a_simulation(played):
    first, last = played.waves[0].skills["triage"], played.waves[-1].skills["triage"]
    assert last.served.mean > first.served.mean + 0.1
    page = played.places.report.read_text()
    assert "simulat" in page.lower()


def test_a_folder_with_other_data_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds data that is not the demo's"):
        play(tmp_path, lambda _: None)
    assert [file.name for file in tmp_path.iterdir()] == ["precious.txt"]


def test_the_notebook_tells_a_promotion_from_the_snapshot_alone(played):
    notebook = Path(__file__).resolve().parents[2] / "docs" / "notebooks" / "one_promotion.py"
    told = subprocess.run(
        [sys.executable, "-W", "error", str(notebook)],
        env={**os.environ, "FLYWHEEL_SNAPSHOT": str(played.places.snapshots / "current.duckdb")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "passed  superiority" in told.stdout
    for title in ("looks", "evidence", "votes on the loudest run", "spans of the loudest run", "momentum"):
        assert f"\n{title}\n  " in told.stdout


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_the_ui_shows_what_was_decided_by_which_criteria_and_what_it_cost(played, tmp_path):
    from playwright.sync_api import sync_playwright

    shutil.copytree(played.places.data, tmp_path / "data")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with running(Places(tmp_path / "data"), Ports(0, 0, 0)) as (at, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1600, "height": 900}, base_url=at.ui)
        page.goto("/assets/promotion_decisions?view=events")
        # Both are tables of their own in the table of metadata.
        page.get_by_role("row", name="superiority").last.wait_for(timeout=60_000)
        page.get_by_role("row", name="rolled_back").last.wait_for()
        page.screenshot(path=str(SCREENSHOTS / "decision-tables.png"), full_page=True)
        decision(page, SCREENSHOTS / "decision-plot.png")
        browser.close()
