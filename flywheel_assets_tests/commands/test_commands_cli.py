"""The command line: one envelope, stable exit codes, errors that say what to do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from flywheel_assets.cli.app import app
from flywheel_assets.commands.why import bound
from flywheel_assets.decisions.ledger import chain
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.run_spans import RUN_SPANS
from flywheel_assets.tables.span_credit import SPAN_CREDIT
from flywheel_assets.tables.span_findings import SPAN_FINDINGS

ENVELOPE = ["ok", "command", "result", "error", "next_actions"]


def call(data: Path, *words: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, [*words, "--data", str(data), "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, json.loads(done.stdout)


def test_status_counts_every_table_and_says_what_to_do(turned: Places) -> None:
    code, answer = call(turned.data, "status")
    rows = {row["table"]: row["rows"] for row in answer["result"]["tables"]}
    assert (code, list(answer), answer["command"]) == (0, ENVELOPE, "status")
    assert (rows["raw_spans"], rows["agent_runs"]) == (180, 90)
    assert [one["arm"] for skill in answer["result"]["skills"] for one in skill["on_trial"]] == ["provider/large|-|-"]
    assert answer["next_actions"]


def test_status_of_an_empty_folder_says_where_to_begin(tmp_path: Path) -> None:
    code, answer = call(tmp_path, "status")
    assert (code, answer["ok"]) == (0, True)
    assert "skills.yaml" in answer["next_actions"][0]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["why", "nobody"], 3, "the ledger says nothing of 'nobody'"),
        (["used-by", "ab:cd"], 3, "no span 'ab:cd'"),
        (["decisions", "show", "99"], 3, "no entry '99'"),
        (["decisions", "approve", "exp", "--by", "ada"], 3, "not an open trial"),
        (["ingest", "/nowhere/at/all"], 3, "does not exist"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_does_not_exist_is_refused_with_words_on_what_does(
    words: list[str], code: int, said: str, turned: Places
) -> None:
    found, answer = call(turned.data, *words)
    assert (found, answer["ok"], answer["error"]["code"]) == (code, False, code)
    assert said in answer["error"]["message"]
    assert answer["next_actions"]


def test_a_skills_file_that_does_not_fit_names_the_field(tmp_path: Path) -> None:
    (tmp_path / "skills.yaml").write_text("skills: {triage: {baseline_model: m, holdout: 2}}")
    code, answer = call(tmp_path, "run")
    assert code == 4
    assert "holdout" in answer["error"]["message"]


def test_wrong_usage_ends_with_code_two() -> None:
    assert CliRunner().invoke(app, ["run", "--no-such-option"]).exit_code == 2


def test_ingest_then_status_shows_what_waits_for_a_turn(tmp_path: Path, arrive: Callable[..., object]) -> None:
    from datetime import date

    elsewhere = Places(tmp_path / "elsewhere")
    arrive(elsewhere, date(2026, 1, 5), 3)
    arrive(elsewhere, date(2026, 1, 6), 2)
    code, answer = call(tmp_path / "data", "ingest", *map(str, sorted(elsewhere.inbox.iterdir())))
    brought, landed = answer["result"]["brought"], answer["result"]["landed"]
    assert (code, brought["files"], landed["spans"]) == (0, 2, 10)
    _, after = call(tmp_path / "data", "status")
    stale = {row["table"]: row["stale_days"] for row in after["result"]["tables"]}
    assert stale["raw_spans"] == ["2026-01-05", "2026-01-06"]


def test_the_ledger_can_be_listed_shown_verified_and_replayed(turned: Places) -> None:
    _, listed = call(turned.data, "decisions", "list")
    entry = listed["result"][0]["entry_id"]
    _, shown = call(turned.data, "decisions", "show", entry)
    checked, verified = call(turned.data, "decisions", "verify")
    replayed, again = call(turned.data, "decisions", "replay", entry)
    assert shown["result"]["registration"]["skill"] == "triage"
    assert (checked, verified["result"]) == (0, {"entries": 1, "faults": []})
    assert (replayed, again["result"]["differences"]) == (0, [])


def test_an_entry_by_another_version_of_the_code_is_not_taken_for_an_edit(wheel: WheelResource) -> None:
    ledger = wheel.lake().read(PROMOTION_DECISIONS).to_pylist()
    older = {"table_versions": {}, "decide_version": "1", "conditions": {"predecessor_known": True}}
    # Its verdict says 'abandoned' of no evidence at all: this code derives another.
    draft = {**ledger[0], "kind": "abandoned", "manifest_json": json.dumps(older)}
    entries = chain(PROMOTION_DECISIONS.empty(), [draft])
    wheel.lake().overwrite(PROMOTION_DECISIONS, entries)
    code, answer = call(Path(wheel.data), "decisions", "replay", "1")
    assert (code, answer["result"]["made_by_this_version"], answer["result"]["edited"]) == (0, False, False)
    assert answer["result"]["differences"]
    wheel.lake().overwrite(
        PROMOTION_DECISIONS, PROMOTION_DECISIONS.rows([{**entries.to_pylist()[0], "reason": "because"}])
    )
    code, answer = call(Path(wheel.data), "decisions", "replay", "1")
    assert (code, answer["result"]["edited"]) == (1, True)


def test_an_edited_ledger_ends_with_code_one_and_names_the_entry(wheel: WheelResource) -> None:
    rows = wheel.lake().read(PROMOTION_DECISIONS).to_pylist()
    wheel.lake().overwrite(PROMOTION_DECISIONS, PROMOTION_DECISIONS.rows([{**rows[0], "reason": "because"}]))
    code, answer = call(Path(wheel.data), "decisions", "verify")
    assert (code, answer["ok"]) == (1, False)
    assert "entry 1 was changed" in answer["result"]["faults"][0]


def test_why_and_used_by_follow_lineage_both_ways(wheel: WheelResource) -> None:
    lake = wheel.lake()
    entry = lake.read(PROMOTION_DECISIONS).to_pylist()[0]
    spans = [row for row in lake.read(RUN_SPANS).to_pylist() if row["role"] == "root"][:12]
    arguments = [
        {
            "entry_id": entry["entry_id"],
            "experiment_id": entry["experiment_id"],
            "run_id": span["run_id"],
            "trace_id": span["trace_id"],
            "root_span_id": span["span_id"],
            "unit_id": span["run_id"],
            "side": "candidate",
            "outcome": 1.0,
            "weight": (place - 5) / 10,
        }
        for place, span in enumerate(spans)
    ]
    lake.append(DECISION_ARGUMENTS, DECISION_ARGUMENTS.rows(arguments), "test")
    _, answer = call(Path(wheel.data), "why", "triage")
    weights = [row["weight"] for row in answer["result"]["arguments"]]
    worst = {row["run_id"] for row in lake.read(SPAN_CREDIT).to_pylist() if row["span_id"] != "-"}
    assert all((row["blamed"] is not None) == (row["run_id"] in worst) for row in answer["result"]["arguments"])
    assert weights == [0.6, 0.5, 0.4, 0.3, 0.2, -0.1, -0.2, -0.3, -0.4, -0.5]
    assert answer["result"]["robustness"] is None
    _, back = call(Path(wheel.data), "used-by", answer["result"]["arguments"][0]["span"])
    assert [row["entry_id"] for row in back["result"]["decisions"]] == [entry["entry_id"]]
    assert back["result"]["run"]["skill"] == "triage"


@pytest.mark.parametrize(
    ("principals", "words"),
    [(1, "of one principal alone: nothing is left"), (9, "9 principals: enough without any 2 of them, and at most")],
)
def test_why_says_how_many_principals_the_evidence_can_lose(principals: int, words: str) -> None:
    (said,) = bound({"principals": principals, "any_removed": min(principals - 1, 2), "most_removed": 5})
    assert words in said.plain


def test_a_failed_runs_blame_and_what_its_spans_show_are_told_from_both_ends(wheel: WheelResource) -> None:
    lake = wheel.lake()
    blamed = max(lake.read(SPAN_CREDIT).to_pylist(), key=lambda row: row["blame"] * (row["span_id"] != "-"))
    shown = {name: blamed[name] for name in ("day", "run_id", "skill", "trace_id", "span_id")}
    seen = {"kind": "Formatting Errors", "evidence": "it failed", "probability": 0.25}
    author = {"tier": "heuristic", "author_id": "failed_execution", "author_version": "1"}
    lake.overwrite(SPAN_FINDINGS, SPAN_FINDINGS.rows([{**shown, **seen, **author}]), blamed["day"])
    span = f"{blamed['trace_id']}:{blamed['span_id']}"
    _, answer = call(Path(wheel.data), "used-by", span)
    first = answer["result"]["blame"][0]
    assert (first["span"], first["blame"], first["kinds"]) == (span, blamed["blame"], ["Formatting Errors"])
    words = CliRunner().invoke(app, ["used-by", span, "--data", wheel.data]).stdout
    assert f"failed here with probability {blamed['blame']:.2f}: this span" in words.replace("\n", " ")


def test_a_snapshot_can_be_read_by_plain_duckdb(wheel: WheelResource) -> None:
    code, answer = call(Path(wheel.data), "snapshot")
    with duckdb.connect(answer["result"]["current"], read_only=True) as con:
        counted = con.execute("SELECT count(*) FROM agent_runs").fetchall()
    assert (code, counted) == (0, [(90,)])


def test_words_for_people_hold_no_colour_when_they_are_piped(turned: Places) -> None:
    done = CliRunner().invoke(app, ["status", "--data", str(turned.data)])
    assert "raw_spans" in done.stdout
    assert "\x1b" not in done.stdout


def test_the_lake_may_lie_elsewhere(turned: Places, tmp_path: Path) -> None:
    code, answer = call(tmp_path, "decisions", "list", "--lake", turned.lake)
    assert (code, len(answer["result"])) == (0, Lake(turned.lake).read(PROMOTION_DECISIONS).num_rows)
