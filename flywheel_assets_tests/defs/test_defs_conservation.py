"""Every account is seen to balance and to break."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from flywheel_assets.defs.conservation import ACCOUNTS, balances, judge, lines, promise, reasons
from flywheel_assets.defs.renewed import Last
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.catalogue import BY_NAME
from flywheel_assets.tables.table import Column, Table

DAY = date(2026, 1, 2)
DEFAULTS: dict[pa.DataType, object] = {
    pa.string(): "x",
    pa.int64(): 0,
    pa.float64(): 0.0,
    pa.bool_(): False,
    pa.date32(): DAY,
    pa.timestamp("us", tz="UTC"): datetime(2026, 1, 2, tzinfo=UTC),
}


def value(column: Column) -> object:
    return DEFAULTS.get(column.type, []) if column.required else None


def row(table: Table, **given: object) -> dict[str, object]:
    return {column.name: given.get(column.name, value(column)) for column in table.columns}


def lake_with(tmp_path: Path, rows: dict[str, list[dict[str, object]]]) -> tuple[Lake, list[Table]]:
    lake = Lake(str(tmp_path / "lake"))
    tables = [BY_NAME[name] for name in rows]
    for table in tables:
        given = [row(table, **one) for one in rows[table.name]]
        lake.overwrite(table, table.rows(given), DAY if table.by_day else None)
    return lake, tables


def spans(*ids: str) -> list[dict[str, object]]:
    return [{"span_id": span, "trace_id": "t"} for span in ids]


def examples(*ids: str, grain: str = "run") -> list[dict[str, object]]:
    return [{"example_id": one, "grain": grain, "skill": "s", "arm": "m|-|-"} for one in ids]


def verdicts(*pairs: tuple[str, str]) -> list[dict[str, object]]:
    return [{"example_id": example, "gate": gate} for example, gate in pairs]


BATCH = {"batch_id": "b", "status": "accepted", "spans": 2, "spans_set_aside": 1}
# account, tables that balance, tables that do not
CASES = [
    (
        "spans_to_run_spans",
        {"raw_spans": spans("1", "2"), "run_spans": spans("1", "2")},
        {"raw_spans": spans("1", "2"), "run_spans": spans("1")},
    ),
    (
        "runs_to_examples",
        {"agent_runs": [{"run_id": "a"}], "labeled_examples": [*examples("a"), *examples("t:1", grain="span")]},
        {"agent_runs": [{"run_id": "a"}], "labeled_examples": examples("t:1", grain="span")},
    ),
    (
        "examples_to_observations",
        {"labeled_examples": examples("a", "b"), "gated_observations": examples("a"), "rejections": examples("b")},
        {"labeled_examples": examples("a", "b"), "gated_observations": examples("a"), "rejections": []},
    ),
    (
        "examples_to_verdicts",
        {"labeled_examples": examples("a", "b"), "gate_verdicts": verdicts(("a", "g"), ("b", "g"))},
        {"labeled_examples": examples("a", "b"), "gate_verdicts": verdicts(("a", "g"), ("a", "h"), ("b", "g"))},
    ),
    (
        "examples_to_stats",
        {"labeled_examples": examples("a", "b"), "skill_day_stats": [{"admitted": 1, "missing": 1, "runs": 2}]},
        {"labeled_examples": examples("a", "b"), "skill_day_stats": [{"admitted": 1, "runs": 2}]},
    ),
    (
        "stats_to_scores",
        {"skill_day_stats": [{"runs": 3}], "skill_scores": [{"runs": 3}]},
        {"skill_day_stats": [{"runs": 3}], "skill_scores": [{"runs": 2}]},
    ),
    (
        "scores_to_routes",
        {"skill_scores": [{"skill": "s", "arm": "m"}], "routing_candidates": [{"skill": "s", "arm": "m"}]},
        {"skill_scores": [{"skill": "s", "arm": "m"}], "routing_candidates": [{"skill": "s", "arm": "n"}]},
    ),
    (
        "batches_to_spans",
        {"landed_batches": [BATCH], "raw_spans": [{"batch_id": "b"}]},
        {"landed_batches": [BATCH], "raw_spans": [{"batch_id": "from nowhere"}]},
    ),
    (
        "rejections_to_batches",
        {"landed_batches": [BATCH], "span_rejections": [{"batch_id": "b"}]},
        {"landed_batches": [BATCH], "span_rejections": []},
    ),
]


@pytest.mark.parametrize(("account", "whole", "broken"), CASES, ids=[case[0] for case in CASES])
def test_an_account_balances_when_nothing_is_lost_and_breaks_when_something_is(
    account: str, whole: dict, broken: dict, tmp_path: Path
) -> None:
    found = {
        words: judge(balances(lake, account, tables)).passed
        for words, rows in (("whole", whole), ("broken", broken))
        for lake, tables in [lake_with(tmp_path / words, rows)]
    }
    assert found == {"whole": True, "broken": False}


def test_every_account_is_tried_here_and_says_what_it_promises() -> None:
    names = {path.stem for path in ACCOUNTS.glob("*.sql")}
    assert names == {case[0] for case in CASES}
    assert all(promise(name).endswith((".", ")")) for name in names)


def test_a_lake_without_rows_balances(tmp_path: Path) -> None:
    for account, rows, _ in CASES:
        tables = [BY_NAME[name] for name in rows]
        assert judge(balances(Lake(str(tmp_path)), account, tables)).passed, account


def test_lines_are_drawn_up_again_where_days_changed_or_were_broken(tmp_path: Path) -> None:
    rows = {"labeled_examples": examples("a", "b"), "gated_observations": examples("a", "b"), "rejections": []}
    lake, tables = lake_with(tmp_path, rows)
    account, observations, others = "examples_to_observations", BY_NAME["gated_observations"], date(2026, 1, 9)

    def write(table: str, day: date, *ids: str) -> None:
        given = [row(BY_NAME[table], day=day, **one) for one in examples(*ids)]
        lake.overwrite(BY_NAME[table], BY_NAME[table].rows(given), day)

    def drawn_up(last: Last | None) -> tuple[list[date | None], Last]:
        versions = lake.versions(tables)
        found = lines(lake, account, tables, 0, last)
        return [line.day for line in found], Last(judge(found), versions)

    days, last = drawn_up(None)
    assert (days, last.verdict.passed) == ([DAY], True)
    # All rows of a day go, and with them its files.
    lake.overwrite(observations, observations.empty(), DAY)
    days, last = drawn_up(last)
    assert (days, last.verdict.passed) == ([DAY], False)
    write("labeled_examples", others, "c")
    write("gated_observations", others, "c")
    days, last = drawn_up(last)
    assert (days, last.verdict.passed) == ([DAY, others], False)
    write("gated_observations", DAY, "a", "b")
    assert drawn_up(last)[1].verdict.passed
    assert drawn_up(drawn_up(last)[1])[0] == []


def test_a_span_in_a_run_of_the_day_before_is_found_again(tmp_path: Path) -> None:
    lake, tables = lake_with(tmp_path, {"raw_spans": spans("1"), "run_spans": spans("1")})
    raw, of_runs = tables
    before, after = Last(judge([]), lake.versions(tables)), DAY + timedelta(days=1)
    for table, ids in ((raw, "2"), (of_runs, "2")):
        given = [row(table, **one) | {"day": after} for one in spans(ids)]
        lake.overwrite(
            table, table.rows([one | {"span_day": after} if table is of_runs else one for one in given]), after
        )
    # Its run began the day before.
    late = [row(of_runs, **one) | {"span_day": day} for one, day in zip(spans("1", "3"), (DAY, after), strict=True)]
    lake.overwrite(of_runs, of_runs.rows(late), DAY)
    told = {line.day: (line.rows_in, line.rows_out) for line in lines(lake, "spans_to_run_spans", tables, 1, before)}
    assert told == {DAY: (1, 1), after: (1, 2)}


def test_an_account_says_what_rows_were_set_aside_for(tmp_path: Path) -> None:
    aside = [{"gate": "injection", "reason": "planted"}, {"gate": "length", "reason": "empty"}]
    rows = [one | aside[number > 1] for number, one in enumerate(examples("a", "b", "c"))]
    lake, tables = lake_with(tmp_path, {"rejections": rows})
    said = {"set aside for": {"injection: planted": 2, "length: empty": 1}}
    assert reasons(lake, "examples_to_observations", tables) == said
    assert reasons(lake, "runs_to_examples", tables) == {}


@pytest.mark.parametrize("path", sorted((ACCOUNTS / "why").glob("*.sql")), ids=lambda path: path.stem)
def test_every_question_why_belongs_to_an_account_and_runs_on_empty_tables(path: Path, tmp_path: Path) -> None:
    named = [table for name, table in BY_NAME.items() if name in path.read_text()]
    assert (ACCOUNTS / path.name).exists()
    assert reasons(Lake(str(tmp_path)), path.stem, named) == {"set aside for": {}}
