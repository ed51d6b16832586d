"""A source whose word of an arm is a little out of line is found out over days, and held back to where it began."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.rebuild import rebuild_days
from flywheel_assets.lake.session import connection
from flywheel_assets.lake.stale import stale_days
from flywheel_assets.observations.admit import admit
from flywheel_assets.observations.out_of_line import Expected, Tallies, interactions
from flywheel_assets.observations.sources import tally, watch
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.source_findings import SOURCE_FINDINGS
from flywheel_assets.tables.source_tallies import SOURCE_TALLIES
from flywheel_assets.tables.steps import ADMIT

MONDAY = date(2026, 3, 2)
SERVICES = ("north", "south", "east", "west")
RATES = {"large": 0.8, "middle": 0.6, "small": 0.4}
Row = dict[str, object]


def told(
    days: int,
    rates: Mapping[tuple[str, str], Sequence[float] | float],
    services: Sequence[str] = SERVICES,
    each: int = 200,
) -> duckdb.DuckDBPyConnection:
    """Tallies of so many days, each source at its rates exactly; a list of rates is one for each day."""
    rows: list[Row] = []
    for number in range(days):
        for service in services:
            for arm, rate in RATES.items():
                given = rates.get((service, arm), rate)
                now = given if isinstance(given, float) else given[number]
                mean = round(each * now) / each
                rows.append(
                    {"day": MONDAY + timedelta(days=number), "skill": "triage", "source": service, "arm": arm,
                     "runs": each, "outcomes": each * mean, "spread": each * mean * (1 - mean)}
                )  # fmt: skip
    con = connection()
    con.register("source_tallies", SOURCE_TALLIES.rows(rows))
    return con


def found(con: duckdb.DuckDBPyConnection, days: int) -> list[tuple[object, ...]]:
    rows = watch(con, MONDAY + timedelta(days=days - 1))[0].to_pylist()
    return [(row["source"], row["arm"], (row["since"] - MONDAY).days) for row in rows]


HARDER = {("west", arm): rate - 0.1 for arm, rate in RATES.items()}
# The same odds everywhere: with nearly perfect arms that costs few points, with others many.
ODDS = {("west", "large"): 0.595, ("west", "middle"): 0.355, ("west", "small"): 0.197}


@pytest.mark.parametrize(
    ("rates", "days", "expected"),
    [
        ({}, 28, []),
        (HARDER, 28, []),
        (ODDS, 28, []),
        ({("west", "large"): 0.77}, 28, []),
        ({("west", "large"): 0.65}, 1, []),
        ({("west", "large"): 0.65}, 7, [("west", "large", -5)]),
        ({("west", "large"): [0.8] * 10 + [0.65] * 18}, 28, [("west", "large", 9)]),
        ({(who, "large"): 0.65 for who in ("west", "east")}, 28, []),
    ],
    ids=[
        "alike",
        "ten points less",
        "harder odds",
        "a little apart",
        "one day",
        "a week",
        "begun later",
        "half of all",
    ],
)
def test_a_source_is_found_out_where_its_arms_are_out_of_line_with_most_others(rates, days, expected):
    heard = found(told(days, rates), days)
    assert [row[:2] for row in heard] == [row[:2] for row in expected]
    # Held back to the start of the week in which the evidence begins, or further, never later.
    assert all(row[2] <= want[2] for row, want in zip(heard, expected, strict=True))


def test_of_two_sources_that_differ_nobody_can_say_which_is_right():
    assert found(told(28, {("west", "large"): 0.4}, services=("north", "west")), 28) == []


def test_sources_with_few_runs_are_not_judged():
    assert found(told(3, {("west", "large"): 0.1}, each=9), 3) == []


def test_what_an_arm_does_on_a_day_is_no_fault_of_who_reports_that_day():
    """The arm breaks half-way, and one source reports only from then on."""
    runs = np.full((14, 4, 2), 100.0)
    runs[:7, 3] = 0
    rates = np.full((14, 1, 2), 0.8)
    rates[7:, :, 0] = 0.3
    good = runs * rates
    judged = interactions(Tallies(runs, good, good * (1 - rates)), Expected())
    assert np.abs(judged.apart).max() < 0.01


def test_an_e_value_exceeds_a_bound_no_more_often_than_its_inverse_where_all_are_honest():
    rng, above = np.random.default_rng(5), 0
    for _ in range(200):
        runs = np.full((7, 4, 3), 60.0)
        rates = np.array([0.8, 0.6, 0.4]) + rng.normal(0, 0.05, (4, 1)) + rng.normal(0, 0.02, (4, 3))
        good = rng.binomial(60, np.broadcast_to(np.clip(rates, 0, 1), runs.shape)).astype(float)
        judged = interactions(Tallies(runs, good, good * (1 - good / 60)), Expected())
        above += int(judged.log_e[0, 0] > np.log(20))
    assert above <= 200 / 20


def test_tallies_count_what_has_an_outcome_and_a_source_and_take_a_session_for_one(
    example: Callable[..., Row], inputs: Callable[..., duckdb.DuckDBPyConnection]
):
    rows = [
        *(example(f"one-{number}", number, session_id="s", outcome=1.0) for number in range(3)),
        example("two", 3, outcome=0.0),
        example("open", 4, outcome=None, outcome_state="missing"),
        example("nobody's", 5),
    ]
    whose = {row["trace_id"]: None if row["run_id"] == "nobody's" else "west" for row in rows}
    spans = [
        {"trace_id": row["trace_id"], "span_id": "root", "day": row["day"], "start_time": row["start_time"],
         "batch_id": "b", "service_name": whose[row["trace_id"]]}
        for row in rows
    ]  # fmt: skip
    (only,) = tally(inputs([*rows, rows[0]], spans=spans), rows[0]["day"])[0].to_pylist()
    assert (only["source"], only["arm"], only["runs"], only["outcomes"]) == ("west", rows[0]["arm"], 4, 3.0)
    assert only["spread"] == pytest.approx((3 * 0.25) ** 2 + 0.75**2)


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        ({}, {"west": "hold", "north": "allow"}),
        ({"day": 20}, {"west": "hold", "north": "allow"}),
        ({"day": 20, "since": 1}, {"west": "allow", "north": "allow"}),
        ({"day": -1, "since": -9}, {"west": "allow", "north": "allow"}),
        ({"skill": "refund"}, {"west": "allow", "north": "allow"}),
    ],
    ids=["found out today", "found out later", "since tomorrow", "long ago", "of another skill"],
)
def test_all_arms_of_a_source_are_held_for_the_days_of_the_evidence_against_it(
    example: Callable[..., Row], admitted: Callable, finding: Row, expected: dict[str, str]
):
    rows = [example(f"{who}-{arm}", arm=f"{arm}|-|-") for who in ("west", "north") for arm in ("large", "small")]
    spans = [
        {"trace_id": row["trace_id"], "span_id": "root", "day": row["day"], "start_time": row["start_time"],
         "batch_id": "b", "service_name": str(row["run_id"]).split("-")[0]}
        for row in rows
    ]  # fmt: skip
    today = rows[0]["day"]
    about = {"skill": "triage", "source": "west", "arm": "large|-|-", "log_e": 9.0, "needed": 7.0, "others": 4}
    days = {name: today + timedelta(days=int(str(finding.get(name, 0)))) for name in ("day", "since")}
    batches = [{"batch_id": "b", "landed_at": rows[0]["start_time"], "status": "accepted"}]
    verdicts = admitted(rows, spans=spans, batches=batches, findings=[about | finding | days])[0].to_pylist()
    said = {(row["example_id"].split("-")[0], row["verdict"]) for row in verdicts if row["gate"] == "out_of_line"}
    assert said == set(expected.items())


@pytest.mark.parametrize(("since", "stale"), [(0, [MONDAY]), (1, [])], ids=["reaches back", "does not"])
def test_a_source_that_is_found_out_later_makes_the_days_it_is_held_for_stale(tmp_path: Path, example, since, stale):
    lake = Lake(str(tmp_path))
    lake.overwrite(LABELED_EXAMPLES, LABELED_EXAMPLES.rows([example()]), MONDAY)
    for table in (read.table for read in ADMIT.reads if not read.table.by_day):
        lake.overwrite(table, table.empty())
    (built,) = rebuild_days(lake, ADMIT, stale_days(lake, ADMIT), admit)
    assert (built.day, stale_days(lake, ADMIT)) == (MONDAY, [])
    later = MONDAY + timedelta(days=3)
    found = {"day": later, "since": MONDAY + timedelta(days=since), "skill": "triage", "source": "west", "arm": "a"}
    lake.overwrite(SOURCE_FINDINGS, SOURCE_FINDINGS.rows([found | {"log_e": 9.0, "needed": 7.0, "others": 3}]), later)
    assert stale_days(lake, ADMIT) == stale
