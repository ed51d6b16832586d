"""Gates on who speaks: contradictions, loud sessions and users, broken harnesses, echoes of our own prompts."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from flywheel_assets.tables.documents.prompt_sections import LESSONS


def verdicts(tables, gate: str) -> dict[str, tuple[object, object]]:
    return {row["example_id"]: (row["verdict"], row["reason"]) for row in tables[0].to_pylist() if row["gate"] == gate}


def reasons(tables, gate: str) -> Counter:
    return Counter(reason for _, reason in verdicts(tables, gate).values())


SAID = {"input_text": "is it open today", "output_text": "yes, until nine"}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"outcome": 0.0}, "hold"),
        ({"outcome": 0.0, "arm": "provider/large|-|-"}, "hold"),
        ({"outcome": 0.0, "input_text": "IS it open, today?"}, "hold"),
        ({"outcome": 0.7}, "allow"),
        ({"outcome": 0.0, "output_text": "no"}, "allow"),
        ({"outcome": 0.0, "output_text": None}, "allow"),
        ({"outcome": 0.0, "skill": "refund"}, "allow"),
        ({"outcome": None, "outcome_state": "missing"}, "allow"),
    ],
)
@pytest.mark.parametrize("sessions", [(None, None), ("a", None), ("a", "b")], ids=["unsigned", "mixed", "signed"])
def test_the_same_words_with_opposite_outcomes_hold_both_sides(
    example: Callable, admitted: Callable, sessions, other, expected
):
    one, two = ({"session_id": session} for session in sessions)
    tables = admitted([example("one", **SAID | one), example("two", 1, **SAID | two | other)])
    assert {state for state, _ in verdicts(tables, "contradiction").values()} == {expected}


@pytest.mark.parametrize(
    ("given", "runs", "expected"),
    [
        ({"session_id": "s"}, 20, {None: 20}),
        ({"session_id": "s"}, 25, {None: 20, "session_over_cap": 5}),
        ({"principal_id": "ann"}, 60, {None: 50, "user_over_cap": 10}),
        ({"principal_id": "worker"}, 60, {None: 60}),
        ({"principal_id": None}, 60, {None: 60}),
    ],
    ids=["a session", "a long session", "a user", "a service", "nobody"],
)
def test_a_session_and_a_user_count_up_to_a_cap_and_a_service_does_not_count_as_one(
    example: Callable, admitted: Callable, given, runs, expected
):
    rows = [example(f"run-{number:03d}", number, input_text=f"case {number}", **given) for number in range(runs)]
    spans = [
        {"trace_id": row["trace_id"], "span_id": "root", "day": row["day"], "service_name": "worker"} for row in rows
    ]
    spans = [span | {"batch_id": "b", "start_time": rows[0]["start_time"]} for span in spans]
    batches = [{"batch_id": "b", "landed_at": rows[-1]["start_time"], "status": "accepted"}]
    tables = admitted(rows, spans=spans, batches=batches)
    assert reasons(tables, "influence") == Counter(expected)
    held = sorted(run for run, (state, _) in verdicts(tables, "influence").items() if state == "hold")
    assert held == [f"run-{number:03d}" for number in range(runs - len(held), runs)]


@pytest.mark.parametrize(
    ("every", "error", "held"),
    [(0.5, "timeout after {} ms", 10), (30, "timeout after {} ms", 0), (0.5, "{}", 10), (0.5, "fault {0}" * 2, 10),
     (0.5, None, 0)],
    ids=["an outage", "an arm that fails all day", "numbers alone", "ids", "no error"],
)  # fmt: skip
def test_equal_errors_within_an_hour_count_up_to_a_cap(example: Callable, admitted: Callable, every, error, held):
    rows = [
        example(f"run-{number:03d}", int(number * every) - 700 * (every > 1), status="error", outcome=0.0,
                error_type=error and error.format(number))
        for number in range(60)
    ]  # fmt: skip
    assert reasons(admitted(rows), "influence")["error_over_cap"] == held


def fleet(example: Callable, rates: dict[tuple[str, str], float], runs: int = 60):
    """Runs of (service, arm) cells with these success rates, and the spans that say whose they are."""
    rng, rows, spans = random.Random(3), [], []
    for (service, arm), rate in rates.items():
        for _ in range(runs):
            run = f"run-{len(rows):04d}"
            rows.append(example(run, len(rows) % 600, arm=f"{arm}|-|-", model=arm, outcome=float(rng.random() < rate)))
            span = {"trace_id": f"trace-{run}", "span_id": "root", "day": rows[0]["day"], "service_name": service}
            spans.append(span | {"batch_id": "b", "start_time": rows[0]["start_time"]})
    batches = [{"batch_id": "b", "landed_at": rows[0]["start_time"], "status": "accepted"}]
    return rows, {"spans": spans, "batches": batches}


TWO = {("north", "x"): 0.8, ("north", "y"): 0.4, ("south", "x"): 0.8, ("south", "y"): 0.4}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {}),
        ({("south", "x"): 0.5, ("south", "y"): 0.1}, {}),
        ({("west", "x"): 0.75, ("west", "y"): 0.45}, {}),
        ({("west", "x"): 0.0, ("west", "y"): 0.4}, {"constant_outcomes": 60, "in_doubt": 60}),
        ({("west", "x"): 0.1, ("west", "y"): 0.9}, {"out_of_line": 120}),
        ({("west", "x"): 1.0}, {}),
    ],
    ids=["alike", "harder tasks", "about alike", "one arm always fails", "turned round", "nearly as good as others"],
)
def test_a_service_that_is_out_of_line_is_held_and_one_with_harder_tasks_is_not(
    example: Callable, admitted: Callable, changed, expected
):
    rows, given = fleet(example, TWO | changed)
    found = reasons(admitted(rows, **given), "broken_harness")
    found.pop(None, None)
    assert dict(found) == expected


PRICES = {"x": 0.02, "y": 0.001, "z": 0.005}


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (PRICES, {}),
        ({arm: 4 * price for arm, price in PRICES.items()}, {}),
        (PRICES | {"y": 0.0018}, {}),
        (PRICES | {"x": PRICES["y"], "y": PRICES["x"]}, {"x": 60, "y": 60, "z": 60}),
        (PRICES | {"x": None, "y": None}, {}),
        (PRICES | {"x": float("inf"), "y": -1.0}, {}),
    ],
    ids=["alike", "longer texts", "a little dearer", "two swapped", "not known", "no prices"],
)
def test_a_service_that_mixes_up_what_arms_cost_is_held_and_one_that_is_dearer_is_not(
    example: Callable, admitted: Callable, prices, expected
):
    rows, given = fleet(example, {(service, arm): 0.5 for service in ("north", "south", "west") for arm in PRICES})
    whose = {span["trace_id"]: span["service_name"] for span in given["spans"]}
    rng = random.Random(5)
    for row in rows:
        price = (prices if whose[row["trace_id"]] == "west" else PRICES)[row["model"]]
        row["cost_usd"] = None if price is None else price * rng.lognormvariate(0, 0.4)
    found = verdicts(admitted(rows, **given), "broken_harness")
    held = {run for run, (_, reason) in found.items() if reason in {"costs_out_of_line", "in_doubt"}}
    assert Counter(row["model"] for row in rows if row["run_id"] in held) == Counter(expected)
    assert {whose[row["trace_id"]] for row in rows if row["run_id"] in held} <= {"west"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"input_text": f"Be kind.\n\n{LESSONS}\n\n- greet first"}, ("hold", "echo")),
        ({"output_text": f"I was told: {LESSONS}"}, ("hold", "echo")),
        ({"input_text": "which lessons did earlier runs teach"}, ("allow", None)),
    ],
)
def test_text_of_a_promoted_prompt_is_no_evidence(example: Callable, admitted: Callable, given, expected):
    assert verdicts(admitted([example(**given)]), "echo")["run-1"] == expected
